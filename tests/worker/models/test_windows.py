"""Windows over words: the largest answer, computed here word by word in plain Python."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from graft_worker.models.windows import Windows

SIZE, FILTERS, WIDTHS = 4, 3, (1, 2, 3)


@pytest.fixture(name="windows")
def _windows() -> Windows:
    made = Windows(size=SIZE, filters=FILTERS, widths=WIDTHS)
    made.draw(torch.Generator().manual_seed(3))
    with torch.no_grad():
        for filters in made.filters:
            filters.bias.add_(0.1)
    return made


def by_hand(windows: Windows, text: Tensor) -> Tensor:
    """What the filters find in one text [n, E]; a text shorter than a window is filled with 0."""
    found = []
    for filters, width in zip(windows.filters, WIDTHS, strict=True):
        missing = max(0, width - len(text))
        whole = torch.cat([text, torch.zeros(missing, SIZE)])
        places = [whole[at : at + width].T for at in range(len(whole) - width + 1)]
        answers = [(filters.weight * place).sum((1, 2)) + filters.bias for place in places]
        found.append(torch.stack(answers).amax(0).relu())
    return torch.cat(found)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(0, 9, id="a full row"),
        pytest.param(0, 5, id="padding behind"),
        pytest.param(0, 2, id="shorter than the widest window"),
        pytest.param(0, 1, id="one word"),
        pytest.param(4, 7, id="the second side of a pair"),
        pytest.param(8, 9, id="one word at the row's end"),
    ],
)
def test_only_windows_of_the_text_itself_count(windows: Windows, start: int, end: int) -> None:
    words = torch.randn(2, 9, SIZE, generator=torch.Generator().manual_seed(1))
    real = torch.zeros(2, 9, dtype=torch.bool)
    real[0] = True
    real[1, start:end] = True
    wanted = torch.stack([by_hand(windows, words[0]), by_hand(windows, words[1, start:end])])
    torch.testing.assert_close(windows(words, real), wanted, atol=1e-5, rtol=0)


def test_a_row_without_words_finds_nothing(windows: Windows) -> None:
    words = torch.randn(1, 9, SIZE, generator=torch.Generator().manual_seed(1))
    assert not windows(words, torch.zeros(1, 9, dtype=torch.bool)).any()

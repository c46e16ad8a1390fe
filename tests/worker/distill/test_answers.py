"""What a teacher has answered: the same bits fresh and kept, and every row asked once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from graft_worker.data.cache import Cache
from graft_worker.data.shards import Shards
from graft_worker.distill.answers import Asked, Teacher, answers, with_answers
from graft_worker.distill.shelf import Shelf
from graft_worker.distributed.process import Process
from graft_worker.run import inference
from tests.worker import small
from tests.worker.distributed import gang

TEXTS = (
    "the film was good",
    "dull",
    "the plot was not very good and the end was slow",
    "very very bad",
    "good",
)


def shards(rows: int) -> Shards:
    app = small.app()
    texts = [TEXTS[i % len(TEXTS)] + " the" * (i % 7) for i in range(rows)]
    encode = app.features(small.tokenizer(), 24)
    return Shards.in_memory(encode(small.rows([{"text": text} for text in texts])))


class Asking:
    """A real teacher that notes which rows it was asked, and how often it was loaded."""

    def __init__(self) -> None:
        self.module = small.classifier(small.app())
        self.rows: list[int] = []
        self.loads = 0
        self.module.register_forward_pre_hook(lambda _, batch: self._note(batch))

    def _note(self, batch: tuple[Any, ...]) -> None:
        self.rows += batch[0].samples.tolist()

    def load(self) -> nn.Module:
        self.loads += 1
        return self.module

    def teacher(self, digest: str = "sha256:t") -> Teacher:
        return Teacher(digest=digest, load=self.load)


def shelf(root: Path) -> Shelf:
    return Shelf(cache=Cache(root=root))


def asked(process: Process, root: str, rows: int) -> tuple[NDArray[np.float32], list[int]]:
    asking = Asking()
    split = Asked(name="rows", shards=shards(rows))
    found = answers(asking.teacher(), split, process=process, shelf=shelf(Path(root)))
    return np.array(found), asking.rows


def test_kept_answers_are_fresh_answers_to_the_bit(tmp_path: Path) -> None:
    told, split = Asking(), Asked(name="rows", shards=shards(40))
    first = answers(told.teacher(), split, process=Process(), shelf=shelf(tmp_path))
    again = answers(told.teacher(), split, process=Process(), shelf=shelf(tmp_path))
    texts = [TEXTS[i % len(TEXTS)] + " the" * (i % 7) for i in range(40)]
    encode = small.app().features(small.tokenizer(), 24)
    block = encode(small.rows([{"text": text} for text in texts]))
    fresh = inference.logits_of(told.module, block, device=torch.device("cpu")).numpy()
    assert first.dtype == np.float32
    assert first.tobytes() == again.tobytes() == fresh.tobytes()


def test_a_second_job_asks_nothing_and_does_not_even_load_the_teacher(tmp_path: Path) -> None:
    split = Asked(name="rows", shards=shards(40))
    first, second = Asking(), Asking()
    answers(first.teacher(), split, process=Process(), shelf=shelf(tmp_path))
    answers(second.teacher(), split, process=Process(), shelf=shelf(tmp_path))
    assert sorted(first.rows) == list(range(40))
    assert (second.rows, second.loads) == ([], 0)


def test_another_teacher_and_other_rows_are_asked_anew(tmp_path: Path) -> None:
    told, rows = Asking(), shards(6)
    for digest, name in (("sha256:t", "rows"), ("sha256:u", "rows"), ("sha256:t", "others")):
        split = Asked(name=name, shards=rows)
        answers(told.teacher(digest), split, process=Process(), shelf=shelf(tmp_path))
    assert len(told.rows) == 18
    assert len(list(tmp_path.glob("sha256-*"))) == 3


def test_damaged_answers_are_asked_anew(tmp_path: Path) -> None:
    told, split = Asking(), Asked(name="rows", shards=shards(6))
    first = np.array(answers(told.teacher(), split, process=Process(), shelf=shelf(tmp_path)))
    (file,) = tmp_path.glob("sha256-*/example.logits.bin")
    file.write_bytes(bytes(file.stat().st_size))
    again = answers(told.teacher(), split, process=Process(), shelf=shelf(tmp_path))
    assert again.tobytes() == first.tobytes()
    assert len(told.rows) == 12


def test_an_interrupted_pass_goes_on_with_the_piece_that_is_missing(tmp_path: Path) -> None:
    told, split = Asking(), Asked(name="rows", shards=shards(40))
    stopped, small_pieces = Stopping(told.module, after=2), replace(shelf(tmp_path), piece=16)
    teacher = Teacher(digest="sha256:t", load=lambda: stopped)
    with pytest.raises(KeyboardInterrupt):
        answers(teacher, split, process=Process(), shelf=small_pieces)
    told.rows.clear()
    found = answers(told.teacher(), split, process=Process(), shelf=small_pieces)
    assert sorted(told.rows) == list(range(32, 40))
    assert len(found) == 40


class Stopping(nn.Module):
    """A teacher that is interrupted after so many batches."""

    def __init__(self, module: nn.Module, *, after: int) -> None:
        super().__init__()
        self.module, self.left = module, after

    def forward(self, batch: Any) -> Any:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return self.module(batch)


def test_two_processes_share_the_rows_and_answer_to_the_bit_as_one(
    tmp_path: Path,
) -> None:
    torch.set_num_threads(1)  # as in the gang
    alone, _ = asked(Process(), str(tmp_path / "alone"), 1500)
    (first, of_first), (second, of_second) = gang.run(2, asked, str(tmp_path / "two"), 1500)
    assert sorted(of_first + of_second) == list(range(1500))
    assert of_first
    assert of_second
    assert alone.tobytes() == first.tobytes() == second.tobytes()


def test_answers_stand_beside_the_targets_row_for_row() -> None:
    rows = shards(5)
    logits = np.arange(10, dtype=np.float32).reshape(5, 2)
    assert with_answers(rows, logits).per_example["teacher"].tolist() == logits.tolist()
    assert "teacher" not in rows.per_example

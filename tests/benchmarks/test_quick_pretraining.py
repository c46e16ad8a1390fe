"""Rows of pretraining on a tiny model: equal work is shown, and what is left is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.test_quick import VARIANTS, check_form, measured


@pytest.mark.timeout(900)
def test_pretraining_is_equal_work_and_its_result_is_whole(root: Path, tmp_path: Path) -> None:
    result = measured("C1-dropout", root, tmp_path)
    check_form(result, unit="tokens")
    assert result["void"] == []
    losses = result["equalSteps"]["losses"]
    assert set(losses) == VARIANTS
    for name in ("default", "tuned"):
        assert losses["ours"] == pytest.approx(losses[name], rel=5e-3)
    rounds = result["clocks"]["cpu"]["rounds"]
    assert {lap["units"]["slots"] for lap in rounds["default"]} == {8 * 32}  # every line is padded
    assert {lap["units"]["tokens"] for lap in rounds["tuned"]} == {8 * 32}  # none is


@pytest.mark.timeout(900)
def test_masking_is_equal_work_and_its_result_is_whole(root: Path, tmp_path: Path) -> None:
    result = measured("C8-words", root, tmp_path)
    check_form(result, unit="tokens")
    assert result["void"] == []
    assert result["work"]["tokens"] > 0
    assert set(result["hiddenShare"]) >= VARIANTS


@pytest.mark.timeout(900)
def test_packed_rows_give_the_loss_and_the_gradient_of_padded_ones(
    root: Path, tmp_path: Path
) -> None:
    result = measured("C16", root, tmp_path)
    assert result["void"] == []
    found = result["figures"]["cases"]
    assert set(found) == {"fp32", "bf16"}
    assert max(found["fp32"].values()) <= 1e-6
    assert max(found["bf16"].values()) <= 1e-2


@pytest.mark.timeout(900)
def test_memory_does_not_grow_with_the_text(root: Path, tmp_path: Path) -> None:
    result = measured("M1", root, tmp_path)
    assert result["void"] == []
    found = result["figures"]["cases"]
    assert list(found) == [
        f"{of}, {size} MB" for of in ("prepare", "read") for size in ("0.5", "2")
    ]
    for stage in ("prepare", "read"):
        small, large = (found[f"{stage}, {size} MB"]["MiB of its own"] for size in ("0.5", "2"))
        # The rows of 1.5 MB held as objects would be 12 MiB and more.
        assert small > 0
        assert large < small + 8


@pytest.mark.timeout(900)
def test_a_step_is_measured_at_every_size(root: Path, tmp_path: Path) -> None:
    found = measured("S1", root, tmp_path)["figures"]["cases"]
    assert list(found) == [
        *("16 tokens a sequence", "32 tokens a sequence"),
        *("1 process", "2 processes"),
    ]
    assert all(value > 0 for of_one in found.values() for value in of_one.values())
    # A step reads as many tokens at any size: longer ones only attend to more of them.
    short, long = (found[f"{length} tokens a sequence"]["GFLOP"] for length in (16, 32))
    assert short < long < 1.5 * short
    assert found["1 process"] == found["32 tokens a sequence"]
    assert found["2 processes"]["GFLOP"] == found["1 process"]["GFLOP"]

"""The rules by which a row counts, on values written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import outcome, table, verdict
from benchmarks.ceiling import Shape, head_flops, training_flops
from benchmarks.laps import Lap, total


def lap(*, texts: float = 1, cpu: float = 1, graphs: int = 0) -> Lap:
    return Lap(units={"texts": texts}, cpu=cpu, wall=2 * cpu, graphs=graphs)


def test_a_round_is_the_sum_of_its_laps() -> None:
    laps = [lap(texts=2, cpu=1), lap(texts=6, cpu=3, graphs=1)]
    assert total(laps) == Lap(units={"texts": 8}, cpu=4, wall=8, graphs=1)
    assert total(laps).cost("texts", "wall") == 1.0


def test_ratios_are_those_of_the_best_and_of_the_median_rounds() -> None:
    peer = [lap(cpu=8), lap(cpu=6), lap(cpu=9)]
    ours = [lap(cpu=2), lap(cpu=5), lap(cpu=4)]
    found = verdict.ratio(peer, ours, unit="texts", clock="cpu")
    assert found == verdict.Ratio(min=3.0, median=2.0)


def test_the_tuned_peer_is_its_fastest_variant() -> None:
    rounds = {"tuned": (lap(cpu=3),), "tuned-compiled": (lap(cpu=2),)}
    assert verdict.fastest(tuple(rounds), rounds, unit="texts", clock="cpu") == "tuned-compiled"


@pytest.mark.parametrize(
    ("losses", "faults"),
    [
        pytest.param(
            {"ours": [0.7, 0.500], "default": [0.9, 0.504]},
            [],
            id="last losses within one per cent are equal work",
        ),
        pytest.param(
            {"ours": [0.7, 0.500], "tuned": [0.7, 0.510]},
            [
                "after 2 equal steps the loss of tuned is 0.5100, ours 0.5000: more than 1% apart",
            ],
            id="last losses two per cent apart make the row void",
        ),
        pytest.param(
            {"ours": [0.7, 0.5], "tuned": [0.7]},
            ["tuned gave 1 losses, ours 2"],
            id="a peer that did fewer steps makes the row void",
        ),
        pytest.param(
            {"ours": [0.7, float("nan")], "tuned": [0.7, 0.5]},
            ["after 2 equal steps the loss of tuned is 0.5000, ours nan: more than 1% apart"],
            id="a loss that is no number makes the row void",
        ),
    ],
)
def test_loss_faults(losses: dict[str, list[float]], faults: list[str]) -> None:
    assert list(verdict.loss_faults(losses)) == faults


@pytest.mark.parametrize(
    ("ours", "faults"),
    [
        pytest.param([0.90, 0.88], [], id="a point behind is within the tolerance"),
        pytest.param([0.95, 0.97], [], id="better is no fault"),
        pytest.param(
            [0.86, 0.88],
            ["over 2 seeds default reaches 0.9000, ours 0.8700: more than 0.015 behind"],
            id="further behind makes the row void",
        ),
    ],
)
def test_accuracy_faults(ours: list[float], faults: list[str]) -> None:
    accuracies = {"ours": ours, "default": [0.91, 0.89]}
    assert list(verdict.accuracy_faults(accuracies, tolerance=0.015)) == faults


def test_other_tokens_make_the_row_void() -> None:
    work = {"ours": {"tokens": 5}, "default": {"tokens": 5}, "tuned": {"tokens": 4}}
    assert list(verdict.work_faults(work)) == ["tuned did {'tokens': 4}, ours {'tokens': 5}"]


def test_compiling_while_measured_makes_the_row_void() -> None:
    rounds = {"ours": (lap(), lap()), "tuned-compiled": (lap(graphs=1), lap(graphs=2))}
    faults = list(verdict.recompilation_faults(rounds))
    assert faults == ["tuned-compiled compiled 3 graphs while it was measured"]


def test_useful_flops_follow_the_formula() -> None:
    shape = Shape(layers=12, hidden=768, intermediate=3072)
    flops = training_flops(shape, tokens=1, attended=128)
    assert flops / 1e9 == pytest.approx(0.510 + 0.0142, abs=1e-3)  # layers and attention


def test_useful_flops_of_the_head_count_the_tokens_that_are_named() -> None:
    shape = Shape(layers=4, hidden=256, intermediate=1024)
    layers = training_flops(shape, tokens=1, attended=128)
    whole = layers + 0.15 * head_flops(shape, 30522)
    assert whole / 1e9 == pytest.approx(0.028, abs=1e-3)  # the table of BERT-mini


def test_a_share_is_useful_work_over_the_best_of_the_machine() -> None:
    rounds = {
        "ours": (lap(texts=4, cpu=1), lap(texts=2, cpu=1)),
        "tuned": (lap(texts=2, cpu=1), lap(texts=2, cpu=1)),
        "ceiling": (Lap(units={"flops": 100}, cpu=1, wall=9),),
    }
    race = outcome.Race(
        clock="cpu", threads=1, rounds=rounds, unit="texts", ceiling_unit="flops", useful=10
    )
    assert race.shares() == {"ours": 0.4, "tuned": 0.2}


def result(**more: Any) -> dict[str, Any]:
    race = {
        "threads": 1,
        "unit": "texts",
        "default": {"min": 4.0, "median": 5.0},
        "tuned": {"min": 1.5, "median": 1.25},
        "tunedBy": "tuned",
        "ceilingShare": {"ours": 0.5, "tuned": 0.25, "default": 0.125},
        "rates": {"ours": {"min": 9.0, "median": 8.0}},
    }
    return {
        "row": "C5",
        "title": "sst2",
        "void": [],
        **{name: race[name] for name in ("default", "tuned")},
        "clocks": {"cpu": race},
        "quick": False,
        "seeds": [1],
        "machine": {},
        "versions": {},
        "load": [0.0],
        "commit": "abc",
        "command": "python -m benchmarks C5",
        **more,
    }


def test_the_table_shows_both_ratios_and_the_shares() -> None:
    line = (
        "| C5 | sst2 | CPU time, 1 thread | 4.00x / 5.00x | 1.50x / 1.25x | 50.0% / 25.0% / 12.5% |"
    )
    assert line in table.render([result()]).splitlines()


def beside(**more: Any) -> dict[str, Any]:
    """A result with one more peer in its race."""
    made = result(**more)
    made["clocks"]["cpu"]["also"] = {"layered": {"min": 1.3, "median": 1.25}}
    return made


def test_peers_beside_the_two_have_a_line_of_their_own() -> None:
    assert "- 1.30x / 1.25x against layered, cpu clock." in table.render([beside()]).splitlines()


def test_a_void_row_prints_void_instead_of_its_ratios() -> None:
    text = table.render([beside(void=["tuned did less"])])
    assert (
        "| C5 | sst2 | CPU time, 1 thread | **void** | **void** | 50.0% / 25.0% / 12.5% |"
        in text.splitlines()
    )
    assert "- **Void**: tuned did less." in text.splitlines()
    assert "4.00x" not in text
    assert "1.30x" not in text
    assert table.line(result(void=["tuned did less"])) == "C5 void: tuned did less"


def test_the_published_table_is_made_from_the_committed_results(root: Path) -> None:
    made = table.published(root / "benchmarks" / "results")
    assert (root / "docs" / "benchmarks.md").read_text(encoding="utf-8") == made


def lesson(**more: Any) -> dict[str, Any]:
    found = {
        "teacher": {"mean": 0.85, "values": [0.84, 0.86]},
        "student": {"mean": 0.8415, "values": [0.84, 0.843]},
        "alone": {"mean": 0.81, "values": [0.80, 0.82]},
    }
    told = {
        "rows": {"labelled": 1000, "bare": 5910, "dev": 872},
        "recipe": {"layers": 3, "steps": 650, "globalBatch": 32},
        "accuracy": found,
        "gain": 3.14,
        "share": 0.99,
        "targets": {"gain": 2.0, "share": 0.97},
    }
    whole = {**result(), "row": "D1", "seeds": [1, 2], "lesson": told, **more}
    return {name: value for name, value in whole.items() if name not in ("clocks", "default")}


def test_a_lesson_shows_every_seed_and_what_the_teacher_is_worth() -> None:
    text = table.render([lesson()]).splitlines()
    assert "| the same student, on labels alone | 0.8100 | 0.8000 | 0.8200 |" in text
    summary = "+3.1 points over labels alone (target +2.0), 99.0% of the teacher (target 97%)"
    assert f"- {summary}." in text
    assert table.line(lesson()) == (
        f"D1 accuracy: teacher 0.8500, student 0.8415, alone 0.8100; {summary}"
    )

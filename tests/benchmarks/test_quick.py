"""The whole harness on a tiny model: every variant, every leg, the file that is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from benchmarks import c14_goodput

VARIANTS = {"ours", "default", "tuned"}


def measured(row: str, root: Path, results: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", row, "--quick", "--rounds", "2"]
    done = subprocess.run(
        [*command, "--seeds", "1", "--clocks", "cpu", "--results", str(results)],
        cwd=root,
        env={**os.environ, "GRAFT_DATA": str(results / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    result: dict[str, Any] = json.loads((results / f"{row}.json").read_text())
    assert done.returncode == int(bool(result["void"]))
    return result


def check_form(result: dict[str, Any], *, unit: str, clock: str = "cpu") -> None:
    race = result["clocks"][clock]
    assert set(result["default"]) == set(result["tuned"]) == {"min", "median"}
    assert (result["default"], result["tuned"]) == (race["default"], race["tuned"])
    assert set(result["ceilingShare"]) >= VARIANTS
    assert race["unit"] == unit
    assert {len(laps) for laps in race["rounds"].values()} == {2}
    assert result["versions"]["torch"] != "not installed"
    assert result["command"].startswith("python -m benchmarks")
    assert result["quick"] is True
    assert {"machine", "load", "commit", "seeds"} <= set(result)


@pytest.mark.timeout(900)
def test_fine_tuning_is_equal_work_and_its_result_is_whole(root: Path, tmp_path: Path) -> None:
    result = measured("C5", root, tmp_path)
    check_form(result, unit="texts")
    assert result["void"] == []
    losses = result["equalSteps"]["losses"]
    assert set(losses) == VARIANTS
    for name in ("default", "tuned"):
        assert losses["ours"] == pytest.approx(losses[name], rel=1e-3)
    assert set(result["accuracy"]["means"]) == VARIANTS
    rounds = result["clocks"]["cpu"]["rounds"]
    assert {lap["units"]["texts"] for lap in rounds["ours"]} == {16}  # two steps of eight texts


@pytest.mark.timeout(900)
def test_streaming_is_equal_work_and_its_result_is_whole(root: Path, tmp_path: Path) -> None:
    result = measured("C9", root, tmp_path)
    check_form(result, unit="tokens")
    assert result["void"] == []
    assert result["work"]["texts"] == 128
    assert result["buildSeconds"] > 0
    tables = {"datasets"} if util.find_spec("datasets") else set()  # the extra bench-rows
    assert set(result["residentBytes"]) >= VARIANTS | tables
    assert set(result["clocks"]["cpu"]["also"]) == tables


@pytest.mark.timeout(900)
def test_exchanges_are_counted_over_equal_steps(root: Path, tmp_path: Path) -> None:
    result = measured("C4", root, tmp_path)
    assert result["void"] == []
    for of_network in result["losses"].values():
        last = [losses[-1] for losses in of_network.values()]
        assert last == pytest.approx([last[0]] * 4, rel=1e-4)
    cases, steps = result["figures"]["cases"], 4
    gathers = {n: list(of.values()) for n, of in cases.items() if n.endswith("all-gathers")}
    assert gathers == {  # ours, default, tuned, DDP
        "albert, all-gathers": [1, 2 * steps + 1, steps + 1, 0],
        "pai-albert, all-gathers": [1, 4 * steps + 1, 2 * steps + 1, 0],
        "bert, all-gathers": [2 * steps + 1, 2 * steps + 1, steps + 1, 0],
    }
    albert = cases["albert, MB gathered"]
    assert albert["default"] > albert["tuned"] > albert["ours"] > albert["ours-ddp"] == 0
    assert list(cases["albert, all-reduces"].values()) == [0, 0, 0, 1]


@pytest.mark.timeout(900)
def test_a_teacher_a_student_and_the_same_alone_are_measured(root: Path, tmp_path: Path) -> None:
    result = measured("D1", root, tmp_path)
    lesson = result["lesson"]
    assert result["void"] == []
    assert lesson["rows"] == {"labelled": 32, "bare": 128, "dev": 40}
    values = {name: found["values"] for name, found in lesson["accuracy"].items()}
    assert set(values) == {"teacher", "student", "alone"}
    assert all(0 <= value <= 1 for of_one in values.values() for value in of_one)
    gain = 100 * (values["student"][0] - values["alone"][0])
    assert lesson["gain"] == pytest.approx(gain, abs=0.01)
    assert lesson["sizeRatio"] > 1


@pytest.mark.timeout(900)
def test_every_operator_makes_the_same_children(
    local_cluster: object, root: Path, tmp_path: Path
) -> None:
    result = measured("K1", root, tmp_path)
    assert result["void"] == []
    fleet = result["fleet"]
    made = {name: fleet[name]["children"] for name in ("bare", "ours", "default", "tuned")}
    assert set(made.values()) == {fleet["jobs"]}
    ours = fleet["ours"]
    assert (ours["quiet"]["writes"], ours["crash"]["writes"]) == (0, 0)
    assert ours["requestsPerJob"]["patch transferjobs/status"] == 1
    assert ours["losses"]["children"] == 5


@pytest.mark.timeout(900)
def test_a_gang_that_is_killed_once_ends_with_the_weights_of_one_that_is_not(
    root: Path, tmp_path: Path
) -> None:
    result = measured("C14", root, tmp_path)
    assert result["void"] == []
    cases = result["figures"]["cases"]
    assert all(set(of_one) == {"ours", "peer"} for of_one in cases.values())
    for name in ("ours", "peer"):
        shares = {case: of_one[name] for case, of_one in cases.items()}
        assert 0 < shares.pop("goodput") <= 1
        assert sum(shares.values()) == pytest.approx(1, abs=0.001)
        assert shares["restarts"] > 0
    assert "two processes on one machine under a launcher, not pods" in result["title"]
    ours, peer, target = result["figures"]["notes"][1:4]
    assert target == c14_goodput.reached(cases["goodput"]["ours"])
    assert ours.startswith("ours:")
    assert peer.startswith("peer:")
    assert all(", 1 kill, " in told for told in (ours, peer))


@pytest.mark.timeout(900)
def test_restarts_end_alike_and_their_result_is_whole(root: Path, tmp_path: Path) -> None:
    result = measured("C15", root, tmp_path)
    check_form(result, unit="restarts", clock="wall")
    assert result["void"] == []
    assert set(result["restartSeconds"]) == set(result["startSeconds"]) == VARIANTS
    assert len(set(result["lastLosses"].values())) == 1  # to the bit


def test_what_a_checkpoint_holds_up_is_told_beside_when_it_is_whole(
    root: Path, tmp_path: Path
) -> None:
    result = measured("C13", root, tmp_path)
    check_form(result, unit="saves", clock="wall")
    assert set(result["stallSeconds"]) == {*VARIANTS, "ceiling"}
    assert set(result["durableSeconds"]) == VARIANTS


@pytest.mark.timeout(900)
def test_a_grammar_is_learnt_and_few_labels_are_worth_more_after_it(
    root: Path, tmp_path: Path
) -> None:
    result = measured("P1", root, tmp_path)
    assert result["void"] == []
    assert set(result["lessons"]) == {"grammar"}
    lesson = result["lessons"]["grammar"]
    reading, tuning = lesson["reading"], lesson["tuning"]
    assert reading["below"] == pytest.approx(reading["entropy"] - reading["mlmLoss"], abs=2e-4)
    assert reading["below"] >= reading["atLeast"] == 0.25
    assert {name: len(found) for name, found in tuning["accuracies"].items()} == {
        "pretrained": 1,
        "random": 1,
    }
    assert tuning["points"] >= tuning["atLeast"]

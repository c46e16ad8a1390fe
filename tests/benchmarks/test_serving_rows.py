"""The rows of servers on a tiny model: every server starts, answers the same, and is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from tests.lacking import lacking

ROWS = ("C10", "C11", "C11-overload", "C12")
PEERS = ("fastapi", "uvicorn", "sentence_transformers")
Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def results(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """All rows, measured in one run."""
    if missing := [name for name in PEERS if util.find_spec(name) is None]:
        lacking(f"{', '.join(missing)} not installed: pip install -e '.[bench]'")
    folder = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-m", "benchmarks", *ROWS, "--quick", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--clocks", "cpu", "--results", str(folder)],
        cwd=root,
        env={**os.environ, "GRAFT_DATA": str(folder / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {row: json.loads((folder / f"{row}.json").read_text()) for row in ROWS}


@pytest.mark.timeout(900)
def test_offline_variants_give_the_same_vectors(results: Results) -> None:
    row = results["C10"]
    assert row["void"] == []
    assert {"ours", "ours-fp32", "ours-onnx-fp32", "pipeline", "tuned"} <= set(row["cosine"])
    assert min(row["cosine"].values()) >= 0.999
    assert set(row["clocks"]["cpu"]["alsoOurs"]) == {"ours-fp32", "ours-onnx-fp32"}
    assert row["exported"]["precision"] == "fp32"


@pytest.mark.timeout(900)
def test_servers_give_the_same_vectors_and_answer_every_request(results: Results) -> None:
    row = results["C11"]
    assert set(row["latency"]["p99"]) == set(row["cosine"]) == {"ours", "default", "tuned"}
    assert min(row["cosine"].values()) >= 0.999
    rounds = row["clocks"]["cpu"]["rounds"]
    answered = {laps[0]["units"]["requests"] for name, laps in rounds.items() if name != "ceiling"}
    assert answered == {32 * 12}
    assert not [fault for fault in row["void"] if "did not answer" in fault]


@pytest.mark.timeout(900)
def test_an_overloaded_server_refuses_in_time_and_answers_afterwards(results: Results) -> None:
    told = results["C11-overload"]["alone"]
    assert {"200", "503"} <= set(told["codes"])
    assert told["afterwardsPerSecond"] > 0


@pytest.mark.timeout(900)
def test_a_request_without_a_model_is_counted(results: Results) -> None:
    row = results["C12"]
    assert row["void"] == []
    assert set(row["microseconds"]) == {"ours", "ours-whole", "default", "tuned", "ceiling"}
    assert min(row["microseconds"].values()) > 0

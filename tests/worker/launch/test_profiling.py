"""A recording: a time line, a table and a flame graph, and the same losses as without."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from graft_api.vocabulary import ProfileFile
from graft_worker.distributed.process import Process
from graft_worker.run.profiling import Profiling, Share, table
from graft_worker.train import phases
from tests.worker.train import tiny

ALONE = Process()


def test_some_steps_are_recorded_and_their_losses_are_what_they_were(tmp_path: Path) -> None:
    profiling = Profiling(tmp_path / "profile", warm=2, steps=2)
    recorded = tiny.train(tmp_path / "a", ALONE, extra=(profiling,))
    plain = tiny.train(tmp_path / "b", ALONE)
    assert recorded.curve.losses == plain.curve.losses

    trace = json.loads((tmp_path / "profile/trace.json").read_text())
    names = [event.get("name") for event in trace["traceEvents"]]
    assert names.count(phases.FORWARD) == names.count(phases.BACKWARD) >= 2
    told = (tmp_path / "profile/table.txt").read_text()
    assert all(phase in told for phase in phases.PHASES)
    assert "aten::" in told

    stacks = (tmp_path / "profile/stacks.txt").read_text().splitlines()
    assert all(re.fullmatch(r"\S.* [1-9][0-9]*", stack) for stack in stacks)
    called = r"graft_worker/train/loop\.py\(\d+\): _backward;.*tiny\.py\(\d+\): forward;.*;aten::"
    assert any(re.search(called, stack) for stack in stacks)
    picture = ET.parse(tmp_path / "profile/flame.svg")
    assert len(picture.findall(".//{*}title")) > 50
    assert sorted(path.name for path in (tmp_path / "profile").iterdir()) == sorted(ProfileFile)


def test_a_training_that_is_too_short_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    never = Profiling(tmp_path / "never", warm=1000)
    half = Profiling(tmp_path / "half", warm=8, steps=3)
    with caplog.at_level(logging.WARNING):
        tiny.train(tmp_path / "a", ALONE, extra=(never, half))
    assert [record.getMessage() for record in caplog.records] == [
        f"profile: no {what} is recorded, the training ended before step {step} of this start"
        for what, step in (("time line", 1003), ("flame graph", 1006), ("flame graph", 14))
    ]
    assert not (tmp_path / "never").exists()
    assert {path.name for path in (tmp_path / "half").iterdir()} == {"trace.json", "table.txt"}


def test_the_table_is_sorted_by_time_and_sums_up_what_is_small() -> None:
    operators = [Share(name=f"op{i}", calls=4, seconds=0.001 * (i + 1)) for i in range(14)]
    told = table([Share(name="forward", calls=2, seconds=0.2)], operators, steps=2)
    lines = told.splitlines()
    assert lines[1] == "100.0%     100.00     1.0  forward"
    assert lines[3] == " 13.3%       7.00     2.0  op13"
    assert lines[-1] == "  2.9%       1.50     4.0  2 others"

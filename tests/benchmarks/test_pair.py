"""Variants of two processes: the work of one, in laps that both run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import c1_mlm, corpus, race
from benchmarks.settings import Settings


@pytest.mark.timeout(900)
def test_two_processes_do_the_work_of_the_library_lap_by_lap(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "nowhere", command="", quick=True, cores=2)
    text = c1_mlm.prepare(corpus.ALBERT, settings, tmp_path)
    equal = text.options("equality", threads=1, seed=1) | {"steps": 4}
    with race.Stable(tmp_path) as stable:
        runner = stable.runner("pairs", threads=1)
        runner.through("benchmarks.ours_mlm:sequences", equal)
        ours = runner.through(text.calls["ours"], equal)["losses"]
        layered = runner.through(text.calls["layered"], equal)["losses"]
        texts = {name: _texts(runner, text, name) for name in ("ours", "layered")}
    assert ours == pytest.approx(layered, rel=1e-3)
    batch = text.corpus.recipe.global_batch
    assert texts == {"ours": [batch] * 2, "layered": [batch] * 2}  # of both, each counted once


def _texts(runner: race.Runner, text: c1_mlm.Text, name: str) -> list[float]:
    runner.start(text.calls[name], text.options("race", threads=1, seed=1))
    laps = runner.laps(2)
    runner.stop()
    return [lap.units["texts"] for lap in laps]

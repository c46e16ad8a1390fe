"""Variants in real processes, taking turns."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from benchmarks import race

GEMM = "benchmarks.ceiling:gemm"
OPTIONS = {"threads": 1, "dtype": "float32"}


def test_turns_are_spread_evenly_over_the_round() -> None:
    assert race.order({"a": 1, "b": 3}) == ("b", "a", "b", "b")


def test_every_variant_is_measured_in_every_round(tmp_path: Path) -> None:
    with race.Stable(tmp_path) as stable:
        runners = [stable.runner(name, threads=1) for name in ("a", "b")]
        for runner in runners:
            runner.start(GEMM, OPTIONS)
        rounds = race.run(runners, {"a": 1, "b": 2}, rounds=3)
        for runner in runners:
            runner.stop()
        again = runners[0].through("benchmarks.ceiling:probe_precision", {})
    product = 2 * 2048 * 768 * 3072
    flops = {name: [lap.units["flops"] for lap in laps] for name, laps in rounds.items()}
    assert flops == {"a": [product] * 3, "b": [2 * product] * 3}
    assert all(lap.cpu > 0 and lap.wall > 0 for laps in rounds.values() for lap in laps)
    assert again["dtype"] in ("float32", "bfloat16")  # a process serves one call after the other


def test_a_variant_that_fails_says_why(tmp_path: Path) -> None:
    with race.Stable(tmp_path) as stable:
        runner = stable.runner("a", threads=1)
        with pytest.raises(race.RaceError, match=r"(?s)a failed:.*KeyError: 'threads'"):
            runner.through(GEMM, {})


def test_a_variant_that_ends_early_is_an_error(tmp_path: Path) -> None:
    with race.Stable(tmp_path) as stable:
        runner = stable.runner("a", threads=1)
        runner.start("benchmarks.ceiling:probe_precision", {})
        with pytest.raises(race.RaceError, match="a ended before the race did"):
            runner.laps(1)


def test_a_variant_whose_process_died_is_an_error(tmp_path: Path) -> None:
    with race.Stable(tmp_path) as stable:
        runner = stable.runner("a", threads=1)
        runner.start("benchmarks.ceiling:gemm", OPTIONS)
        runner.laps(1)
        for child in psutil.Process().children():
            if "benchmarks.child" in child.cmdline():
                child.kill()
        with pytest.raises(race.RaceError, match="a is gone"):
            runner.laps(1)

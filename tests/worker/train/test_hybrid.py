"""Shards within a worker, the same in every worker: two workers of two, and one process alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from graft_api.errors import ConfigError
from graft_api.training import Length, Optimizer
from graft_worker.distributed import sharding
from graft_worker.distributed.process import Process
from tests.worker.distributed import gang
from tests.worker.train import scenarios, tiny

TOLERANCE = 1e-5
STEPS, CUT = 4, 2
Name = Literal["adamw", "lamb"]


def wishes(process: Process, optimizer: Name = "adamw") -> dict[str, Any]:
    """Two micro-batches a step for each of four processes; one of them is short of a row."""
    return {
        "strategy": "auto" if process.world == 1 else "hsdp",
        "validation": tiny.shards(11, seed=1),
        "training": tiny.training(
            duration=Length(steps=STEPS),
            global_batch=15,
            optimizer=Optimizer(name=optimizer, learning_rate=0.02),
        ),
    }


def of_workers(process: Process, root: str) -> dict[str, Any]:
    """Whole trainings, and such that go on from the checkpoint of either world."""
    member, at = replace(process, local_world=2), Path(root)
    found: dict[str, Any] = {
        "adamw": scenarios.trained(at / "adamw", member, **wishes(member)),
        "lamb": scenarios.trained(at / "lamb", member, **wishes(member, "lamb")),
        "taken": scenarios.trained(at / "taken", member, **wishes(member)),
        "left": scenarios.cut(at / "left", member, after=CUT, **wishes(member)),
    }
    if process.leads:
        shutil.copytree(at / "left", at / "again")
    process.any(False)
    return found | {"again": scenarios.trained(at / "again", member, **wishes(member))}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hybrid")


@pytest.fixture(scope="module")
def alone(root: Path) -> dict[Name, scenarios.Trained]:
    names: tuple[Name, ...] = ("adamw", "lamb")
    process = Process()
    folder = root / "alone"
    return {n: scenarios.trained(folder / n, process, **wishes(process, n)) for n in names}


@pytest.fixture(scope="module")
def ranks(root: Path) -> tuple[dict[str, Any], ...]:
    scenarios.cut(root / "taken", Process(), after=CUT, **wishes(Process()))
    return gang.run(4, of_workers, str(root))


@pytest.mark.parametrize("name", ["adamw", "lamb"])
def test_workers_that_shard_within_follow_the_curve_of_one_process(
    alone: dict[Name, scenarios.Trained], ranks: tuple[dict[str, Any], ...], name: Name
) -> None:
    single, lead = alone[name], ranks[0][name]
    assert {rank[name].strategy for rank in ranks} == {"hsdp"}
    assert all(rank[name].losses == lead.losses for rank in ranks)
    np.testing.assert_allclose(lead.losses, single.losses, atol=TOLERANCE, rtol=0)
    assert scenarios.close(lead.weights, single.weights) < TOLERANCE
    assert lead.metrics == pytest.approx(single.metrics, abs=TOLERANCE)


def test_a_stopped_run_goes_on_bit_for_bit(ranks: tuple[dict[str, Any], ...]) -> None:
    for rank in ranks:
        assert rank["left"] == f"stopped after step {CUT} of {STEPS}"
        assert rank["again"].losses == rank["adamw"].losses[CUT:]
    whole, again = ranks[0]["adamw"].weights, ranks[0]["again"].weights
    assert again.keys() == whole.keys()
    assert all(np.array_equal(weight, whole[name]) for name, weight in again.items())


def test_the_checkpoint_of_one_process_is_gone_on_from(
    alone: dict[Name, scenarios.Trained], ranks: tuple[dict[str, Any], ...]
) -> None:
    _follows(ranks[0]["taken"], alone["adamw"])


def test_its_checkpoint_is_gone_on_from_by_one_process(
    root: Path, alone: dict[Name, scenarios.Trained], ranks: tuple[dict[str, Any], ...]
) -> None:
    assert len(ranks) == 4
    found = scenarios.trained(root / "left", Process(), **wishes(Process()))
    _follows(found, alone["adamw"])


def _follows(found: scenarios.Trained, whole: scenarios.Trained) -> None:
    assert found.steps == list(range(CUT + 1, STEPS + 1))
    np.testing.assert_allclose(found.losses, whole.losses[CUT:], atol=TOLERANCE, rtol=0)
    assert scenarios.close(found.weights, whole.weights) < TOLERANCE


BILLION = 1_000_000_000


@pytest.mark.parametrize(
    ("wish", "parameters", "world", "group", "expected"),
    [
        pytest.param("auto", BILLION, 16, 8, "ddp", id="what fits a process is not sharded"),
        pytest.param("auto", 4 * BILLION, 16, 8, "hsdp", id="what fits a worker is, within it"),
        pytest.param("auto", 9 * BILLION, 16, 8, "fsdp", id="what does not, over all of them"),
        pytest.param("auto", 4 * BILLION, 8, 8, "fsdp", id="one worker has nobody to copy"),
        pytest.param("auto", 4 * BILLION, 16, 1, "fsdp", id="workers of one process are all alike"),
        pytest.param("hsdp", 100, 4, 2, "hsdp", id="two workers of two processes"),
        pytest.param("hsdp", 100, 2, 2, "fsdp", id="one worker of two processes"),
        pytest.param("hsdp", 100, 1, 1, "whole", id="one process"),
    ],
)
def test_the_strategy_for_a_model_and_a_world(
    wish: str, parameters: int, world: int, group: int, expected: str
) -> None:
    process = Process(world=world, local_world=group)
    assert sharding.choose(wish, parameters, process) == expected


def test_workers_of_one_process_have_nothing_to_shard_within() -> None:
    with pytest.raises(ConfigError) as raised:
        sharding.choose("hsdp", 100, Process(world=2, local_world=1))
    assert str(raised.value) == (
        "workers.parallel.strategy: hsdp shards within a worker, and each is one process\n"
        "  raise workers.processes to a multiple of parallel.tensor, or use fsdp"
    )

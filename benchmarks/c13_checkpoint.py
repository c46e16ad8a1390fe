"""C13, G13: how long a checkpoint holds up the training, against torch.save and torch's async_save.

The state is that of AdamW: weights and two moments in fp32. A save begins when the one before is
durable. Ours and async_save keep their buffers from save to save, as in a training.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import HashStore

from benchmarks import outcome
from benchmarks.laps import Lap
from benchmarks.settings import Settings
from graft_worker.checkpoint.staging import Stage
from graft_worker.checkpoint.store import Checkpoints

State = Mapping[str, Tensor]
Wait = Callable[[], object]  # returns when the save is durable

WIDTH = 1024
BASE, LARGE = 110_000_000, 335_000_000  # parameters of BERT's two sizes
TINY = 300_000
LAYERS = 50  # tensors that the parameters come in


@dataclass(frozen=True, slots=True, kw_only=True)
class Saver:
    """One way to save: `begin` returns when the training may go on."""

    begin: Callable[[State, Path], Wait]


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of C13, on the CPU."""
    return _measured(row, settings, folder, sizes=(BASE, torch.device("cpu")))


def run_on_gpu(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of G13."""
    return _measured(row, settings, folder, sizes=(LARGE, torch.device("cuda", 0)))


def _measured(
    row: str, settings: Settings, folder: Path, *, sizes: tuple[int, torch.device]
) -> Mapping[str, Any]:
    parameters, device = (TINY, torch.device("cpu")) if settings.quick else sizes
    given = state(parameters, device)
    size = sum(tensor.nbytes for tensor in given.values())
    laps: dict[str, list[Lap]] = {}
    durable: dict[str, list[float]] = {}
    with _savers(folder) as savers:
        for number in range(settings.rounds + 1):  # the first makes buffers
            for name, saver in savers.items():
                stall, whole = _timed(saver, given, folder / name / str(number))
                if number:
                    laps.setdefault(name, []).append(Lap(units={"saves": 1}, cpu=0.0, wall=stall))
                    durable.setdefault(name, []).append(whole)
    race = outcome.Race(
        clock="wall",
        threads=settings.cores,
        rounds={name: tuple(of_one) for name, of_one in laps.items()},
        unit="saves",
        ceiling_unit="saves",
        useful=1,
    )
    title = f"what a checkpoint of {size / 2**30:.1f} GiB holds up on a {device.type}"
    evidence = outcome.Evidence(details=_details(laps, durable))
    return outcome.row(row, title, races=(race,), evidence=evidence, settings=settings)


def state(parameters: int, device: torch.device) -> State:
    """Weights and moments, a whole number of rows each."""
    rows = parameters // LAYERS // WIDTH
    made = torch.Generator(device).manual_seed(0)
    names = [f"{part}.{i}" for part in ("weight", "first", "second") for i in range(LAYERS)]
    return {n: torch.randn(rows, WIDTH, device=device, generator=made) for n in names}


def _timed(saver: Saver, given: State, path: Path) -> tuple[float, float]:
    """Seconds until the training may go on, and until the checkpoint is durable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if given["weight.0"].is_cuda:
        torch.cuda.synchronize()
    began = time.perf_counter()
    wait = saver.begin(given, path)
    stall = time.perf_counter() - began
    wait()
    whole = time.perf_counter() - began
    shutil.rmtree(path, ignore_errors=True)
    return stall, whole


@contextmanager
def _savers(folder: Path) -> Iterator[Mapping[str, Saver]]:
    """Ours, the two peers, and the copy without which none can let the training go on."""
    checkpoints = Checkpoints(folder / "ours", keep=1)
    stage = Stage()
    steps = iter(range(1, 1_000_000))

    def ours(given: State, _path: Path) -> Wait:
        checkpoints.save(given, {}, step=next(steps))
        return checkpoints.wait

    def copied(given: State, _path: Path) -> Wait:
        stage.copy(given)
        return lambda: None

    with _group():
        yield {
            "ours": Saver(begin=ours),
            "default": Saver(begin=_saved),
            "tuned": Saver(begin=_asynchronous()),
            "ceiling": Saver(begin=copied),
        }
    shutil.rmtree(folder / "ours", ignore_errors=True)


def _saved(given: State, path: Path) -> Wait:
    path.mkdir()
    torch.save(dict(given), path / "state.pt")
    return lambda: None


def _asynchronous() -> Callable[[State, Path], Wait]:
    from torch.distributed.checkpoint.state_dict_saver import async_save

    stager = _stager()

    def begin(given: State, path: Path) -> Wait:
        running = async_save(dict(given), checkpoint_id=path, async_stager=stager)
        assert isinstance(running, Future)
        return running.result

    return begin


def _stager() -> Any:
    """Keeps its buffers; pinned ones, which the older of the two always wants, need a GPU."""
    from torch.distributed.checkpoint import staging

    if torch.cuda.is_available():
        return staging.BlockingAsyncStager(cache_staged_state_dict=True)
    options = staging.StagingOptions(
        use_pinned_memory=False,
        use_shared_memory=False,
        use_async_staging=False,
        use_non_blocking_copy=False,
    )
    return staging.DefaultStager(options)


@contextmanager
def _group() -> Iterator[None]:
    dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    try:
        yield
    finally:
        dist.destroy_process_group()


def _details(
    laps: Mapping[str, list[Lap]], durable: Mapping[str, list[float]]
) -> Mapping[str, Any]:
    return {
        "stallSeconds": {n: _median([lap.wall for lap in of_one]) for n, of_one in laps.items()},
        "durableSeconds": {n: _median(durable[n]) for n in durable if n != "ceiling"},
    }


def _median(values: list[float]) -> float:
    return float(f"{statistics.median(values):.3g}")

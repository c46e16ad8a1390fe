"""A variant of two processes, a gang over gloo: both run the same lap, which ends with the slower.

Every call has processes of its own: what a library keeps of a gang ends with it.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import ceiling
from benchmarks.race import Runner

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options
    from benchmarks.laps import Lap

WORLD = 2
Units = Mapping[str, float]


def ours(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C3 with Graft, whose counters are those of the whole gang."""
    return _run("benchmarks.ours_mlm:pretrain", options, baton, count=_first)


def sized(options: Options, baton: Baton) -> Mapping[str, Any]:
    """S1 in two processes."""
    return _run("benchmarks.ours_sizes:steps", options, baton, count=_first)


def default(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C3 as run_mlm does it under torchrun."""
    return _run("benchmarks.peers.default:pretrain", options, baton, count=_sum)


def tuned(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C3 with concatenated text, the faster precision, fused AdamW, no look for unused weights."""
    return _run("benchmarks.peers.tuned:pretrain_together", options, baton, count=_sum)


def layered(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C3 with the library's model under `fully_shard`, layer by layer."""
    return _run("benchmarks.peers.layered:pretrain", options, baton, count=_sum)


def gemm(options: Options, baton: Baton) -> None:
    """The ceiling of both processes' cores."""
    ceiling.gemm({**options, "threads": WORLD * options["threads"]}, baton)


def _run(
    call: str, options: Options, baton: Baton, *, count: Callable[[Sequence[Lap]], Units]
) -> Mapping[str, Any]:
    with _gang(call, options) as gang:
        for member in gang:
            member.start(call, options)
        if options["mode"] == "equality":
            for member in gang:
                member.ask(sys.maxsize)
            told, *_ = [member.result() for member in gang]
            return told
        baton.begin()
        while True:
            for member in gang:
                member.ask(1)
            baton.lap(**count([member.told(1)[0] for member in gang]))


@contextmanager
def _gang(call: str, options: Options) -> Iterator[Sequence[Runner]]:
    logs, threads = Path(options["corpus"]["folder"]), options["threads"]
    environ = {"WORLD_SIZE": str(WORLD), "LOCAL_WORLD_SIZE": str(WORLD), **_meeting()}
    gang = [
        Runner(
            f"{call.rpartition('.')[2].replace(':', '-')}-rank{rank}",
            threads=threads,
            logs=logs,
            environ={**environ, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(WORLD)
    ]
    try:
        yield gang
    finally:
        for member in gang:
            member.close()


def _meeting() -> dict[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}


def _first(laps: Sequence[Lap]) -> Units:
    return laps[0].units


def _sum(laps: Sequence[Lap]) -> Units:
    return {name: sum(lap.units[name] for lap in laps) for name in laps[0].units}

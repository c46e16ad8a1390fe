"""A program whose worker processes are killed at given moments, and what became of it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import psutil

Test = Callable[[psutil.Process], bool]

LOOK_SECONDS = 0.02
KILLS = 100  # more than any run lasts


class KilledError(Exception):
    """A program that did not come to its end; the message ends with what it last said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Killer:
    """Kills one worker at each of the moments, in seconds since the first step."""

    moments: Sequence[float]
    draw: random.Random
    is_worker: Test
    stepped: Path  # a file that has something in it since the first step


@dataclass(slots=True)
class Run:
    """Moments in seconds since the epoch."""

    began: float
    ended: float = 0.0
    kills: list[float] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Seconds from the start to the end."""
        return self.ended - self.began


def run(
    programs: Sequence[Sequence[str]],
    environ: Mapping[str, str],
    log: Path,
    killer: Killer | None = None,
) -> Run:
    """What Python runs, one after the other, the last under the killer.

    Raises:
        KilledError: one ended with another code than 0.
    """
    found = Run(began=time.time())
    for number, arguments in enumerate(programs, start=1):
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            if killer and number == len(programs):
                found.kills += _killed(process, killer)
            code = process.wait()
        finally:
            process.kill()  # of whoever interrupts this
        if code:
            raise KilledError(f"{arguments}: exit code {code}\n{log.read_text()[-2000:]}")
    found.ended = time.time()
    return found


def _killed(process: subprocess.Popen[bytes], killer: Killer) -> Iterator[float]:
    """When workers were killed while the program ran. A moment without a worker passes."""
    due = list(killer.moments)
    first: float | None = None
    while process.poll() is None and due:
        now = time.time()
        if first is None and killer.stepped.exists() and killer.stepped.stat().st_size:
            first = now
        if first is not None and now >= first + due[0]:
            del due[0]
            if _kill(process.pid, killer):
                yield now
        time.sleep(LOOK_SECONDS)


def _kill(launcher: int, killer: Killer) -> bool:
    with suppress(psutil.NoSuchProcess):
        below = psutil.Process(launcher).children(recursive=True)
        workers = sorted(p.pid for p in below if _lives(p) and killer.is_worker(p))
        if workers:
            psutil.Process(killer.draw.choice(workers)).kill()
            return True
    return False


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def moments(mean: float, draw: random.Random) -> tuple[float, ...]:
    """Intervals with that mean, as faults that know nothing of each other have them, added up."""
    return tuple(accumulate(draw.expovariate(1 / mean) for _ in range(KILLS)))

"""Faults on purpose: GRAFT_FAULT_AT=rank:step:kind[:argument][@attempt], comma between several.

After the step of that number, counted from 1, the process of that rank (`*`: every one)

kill, hang, sleep:SECONDS    is killed, stopped, or sleeps; once in an attempt
raise, segfault, exit:CODE   fails, every time that step is done
oom:MEBIBYTES                takes that much memory, then fails, every time
nan                          spoils the loss of that step, every time

With an attempt, none comes in others: what ends one attempt comes in the next again, since the
step is done again.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_api.vocabulary import Env

if TYPE_CHECKING:
    from torch import nn

    from graft_worker.train.run import Run

EVERY_RANK = "*"
ONCE = frozenset({"kill", "hang", "sleep"})
NEEDS_NUMBER = frozenset({"sleep", "exit", "oom"})
FORM = "rank:step:kind[:argument][@attempt]"
BLOCK = 16  # MiB taken at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of one rank, None for every rank; in one attempt, None for every attempt."""

    rank: int | None
    step: int
    kind: str
    number: float = 0.0
    attempt: int | None = None

    def concerns(self, rank: int) -> bool:
        """Whether this rank is to have it."""
        return self.rank in (None, rank)


def wished(environ: Mapping[str, str]) -> tuple[Fault, ...]:
    """The faults that the environment asks for in its attempt.

    Raises:
        ConfigError: they are not allowed here, or not to be understood.
    """
    text = environ.get(Env.FAULT_AT)
    if not text:
        return ()
    if environ.get(Env.FAULTS_ENABLED) != "1":
        raise ConfigError(
            f"{Env.FAULT_AT}={text}: faults are not enabled",
            hint=f"set {Env.FAULTS_ENABLED}=1 to rehearse failures, or take {Env.FAULT_AT} away",
        )
    attempt = int(environ.get(Env.ATTEMPT) or 1)
    asked = [_parsed(part.strip()) for part in text.split(",")]
    return tuple(fault for fault in asked if fault.attempt in (None, attempt))


class Rehearsal:
    """A callback that brings the faults about; `marks` is where it notes those that come once."""

    name = "rehearsal"

    def __init__(self, faults: tuple[Fault, ...], *, rank: int, marks: Path) -> None:
        self._faults = tuple(fault for fault in faults if fault.concerns(rank))
        self._rank = rank
        self._marks = marks
        self._next = 1  # the step being done; a resumed run learns it after its first

    def spoil(self, module: nn.Module) -> None:
        """Losses of the steps with a `nan` are not finite from now on."""
        steps = {fault.step for fault in self._faults if fault.kind == "nan"}
        if steps:
            module.register_forward_hook(
                lambda _module, _inputs, output: (
                    output * math.nan if module.training and self._next in steps else output
                )
            )

    def after_step(self, run: Run) -> None:
        """Brings about what is wished after this step."""
        self._next = run.step + 1
        for fault in self._faults:
            if fault.step == run.step and fault.kind in KINDS and self._due(fault):
                KINDS[fault.kind](fault.number)

    def _due(self, fault: Fault) -> bool:
        if fault.kind not in ONCE:
            return True
        mark = self._marks / f"fault-{self._rank}-{fault.step}-{fault.kind}"
        mark.parent.mkdir(parents=True, exist_ok=True)
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def _parsed(text: str) -> Fault:
    fault, at, attempt = text.partition("@")
    rank, step, kind, number = [*fault.split(":"), "", "", "", ""][:4]
    known = kind in {*KINDS, "nan"} and (kind not in NEEDS_NUMBER or _is_number(number))
    placed = step.isdigit() and (rank == EVERY_RANK or rank.isdigit())
    if not known or not placed or attempt.isdigit() != bool(at):
        raise ConfigError(
            f"{Env.FAULT_AT}={text}: expected {FORM}",
            hint=f"kinds: {', '.join(sorted({*KINDS, 'nan'}))}; sleep:SECONDS, exit:CODE, oom:MIB",
        )
    return Fault(
        rank=None if rank == EVERY_RANK else int(rank),
        step=int(step),
        kind=kind,
        number=float(number or 0),
        attempt=int(attempt) if at else None,
    )


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _raise(_: float) -> None:
    raise RuntimeError("a rehearsed failure")


def _take_memory(mebibytes: float) -> None:
    taken: list[Any] = []
    for _block in range(int(mebibytes) // BLOCK):
        taken.append(b"\1" * (BLOCK << 20))
    raise MemoryError(f"a rehearsed failure after {mebibytes:g} MiB")


KINDS: Mapping[str, Callable[[float], Any]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "sleep": time.sleep,
    "raise": _raise,
    "segfault": lambda _: ctypes.string_at(0),
    "exit": lambda code: os._exit(int(code)),
    "oom": _take_memory,
}

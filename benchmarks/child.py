"""One variant in a process of its own: runs what the parent names, and reports every lap.

Lines of JSON from the parent:
{"run": "module:function", "options": {...}}, {"laps": n}, {"stop": true}.
Lines to the parent: {"lap": {...}}, {"result": {...}}, {"error": "..."}.

Why a process each, when the laps are interleaved anyway: accelerate keeps one precision per
process, and a process's CPU clock charges background threads to the variant that started them.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, TextIO

Options = Mapping[str, Any]


class Finished(BaseException):
    """The parent wants no further lap; an order, so that no `except Exception` stops it."""


class Baton:
    """Holds the variant at the end of a lap until the parent asks for the next one."""

    def __init__(self, commands: TextIO, reports: TextIO) -> None:
        self._commands, self._reports = commands, reports
        self._left = 0
        self._cpu = self._wall = 0.0
        self._graphs = 0

    def begin(self) -> None:
        """Waits for the first lap; set-up before it is not measured."""
        self._wait()
        self._cpu = time.process_time()

    def lap(self, **units: float) -> None:
        """Ends a lap. Work of background threads while waiting counts into the next one (CPU)."""
        _settle()
        cpu, wall = time.process_time(), time.perf_counter()
        lap = {"units": units, "cpu": cpu - self._cpu, "wall": wall - self._wall}
        graphs = _compiled()
        self.send({"lap": {**lap, "graphs": graphs - self._graphs}})
        self._cpu, self._graphs, self._left = cpu, graphs, self._left - 1
        if self._left:
            self._wall = time.perf_counter()
        else:
            self._wait()

    def send(self, message: Mapping[str, Any]) -> None:
        """One line to the parent."""
        self._reports.write(json.dumps(message) + "\n")
        self._reports.flush()

    def _wait(self) -> None:
        order = json.loads(self._commands.readline() or '{"stop": true}')
        if "stop" in order:
            raise Finished
        self._left, self._wall = order["laps"], time.perf_counter()


def _settle() -> None:
    """Waits for what a GPU has been asked to do."""
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _compiled() -> int:
    dynamo = sys.modules.get("torch._dynamo.utils")
    return int(dynamo.counters["stats"]["unique_graphs"]) if dynamo else 0


def serve(commands: TextIO, reports: TextIO) -> None:
    """Runs what the parent names, one after the other, until it closes the pipe."""
    baton = Baton(commands, reports)
    for line in iter(commands.readline, ""):
        order = json.loads(line)
        if "run" in order:
            baton.send(_answer(order["run"], order["options"], baton))


def _answer(name: str, options: Options, baton: Baton) -> Mapping[str, Any]:
    module, _, function = name.partition(":")
    try:
        return {"result": getattr(importlib.import_module(module), function)(options, baton) or {}}
    except Finished:
        return {"result": {}}
    except Exception:
        return {"error": traceback.format_exc()}


if __name__ == "__main__":
    # What libraries print belongs into the log, not between the messages.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, channel)

"""The parent's half of a race: several variants, one running at any time, lap by lap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Self

from benchmarks.laps import Lap, total

ROOT = Path(__file__).parent.parent
WARM_LAPS = 3
MOST_WARM_ROUNDS = 4
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore",
}


class RaceError(Exception):
    """A variant failed or stopped before its time; the message ends with what it last said."""


class Runner:
    """One variant: a child process that waits between laps."""

    def __init__(
        self,
        name: str,
        *,
        threads: int,
        logs: Path,
        gpu: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.threads, self._log = name, threads, logs / f"{name}-{threads}.log"
        self._environ = {**({} if gpu else {"CUDA_VISIBLE_DEVICES": ""}), **(environ or {})}
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        threads = {"OMP_NUM_THREADS": str(self.threads), "RAYON_NUM_THREADS": str(self.threads)}
        with self._log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "benchmarks.child"],
                cwd=ROOT,
                env={**os.environ, **QUIET, **threads, **self._environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def close(self) -> None:
        """Ends the process."""
        for pipe in (self._pipe(self._process.stdin), self._pipe(self._process.stdout)):
            pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def start(self, call: str, options: Mapping[str, Any]) -> None:
        """Begins a function of the variant; it waits before its first lap."""
        self._send({"run": call, "options": options})

    def laps(self, count: int) -> tuple[Lap, ...]:
        """The next laps of what was started."""
        self.ask(count)
        return self.told(count)

    def ask(self, count: int) -> None:
        """Lets it run the next laps."""
        self._send({"laps": count})

    def told(self, count: int) -> tuple[Lap, ...]:
        """So many laps that were asked for, as they end."""
        return tuple(self._lap(self._read()) for _ in range(count))

    def stop(self) -> None:
        """Ends what was started at its lap's end."""
        self._send({"stop": True})
        self.result()

    def through(self, call: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result of a function that runs to its end without a pause."""
        self.start(call, options)
        self.ask(sys.maxsize)
        return self.result()

    def result(self) -> Mapping[str, Any]:
        """What the function that was started gives at its end."""
        while "result" not in (message := self._read()):
            pass
        result: Mapping[str, Any] = message["result"]
        return result

    def _lap(self, message: Mapping[str, Any]) -> Lap:
        if "lap" not in message:
            raise RaceError(f"{self.name} ended before the race did: {message}")
        return Lap(**message["lap"])

    def _send(self, message: Mapping[str, Any]) -> None:
        pipe = self._pipe(self._process.stdin)
        try:
            pipe.write(json.dumps(message) + "\n")
            pipe.flush()
        except BrokenPipeError:
            raise RaceError(f"{self.name} is gone: {self._last_words()}") from None

    def _read(self) -> Mapping[str, Any]:
        line = self._pipe(self._process.stdout).readline()
        if not line:
            raise RaceError(f"{self.name} is gone: {self._last_words()}")
        message: Mapping[str, Any] = json.loads(line)
        if "error" in message:
            raise RaceError(f"{self.name} failed:\n{message['error']}")
        return message

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


class Stable:
    """The runners of a row: one process per name, started anew where its threads change.

    They see GPUs only with `gpu`. Use it as a context.
    """

    def __init__(self, logs: Path, *, gpu: bool = False) -> None:
        self._logs, self._gpu = logs, gpu
        self._runners: dict[str, Runner] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for runner in self._runners.values():
            runner.close()

    def runner(self, name: str, *, threads: int) -> Runner:
        """The runner of that name, with so many threads."""
        found = self._runners.get(name)
        if found is not None and found.threads == threads:
            return found
        if found is not None:
            found.close()
        self._runners[name] = Runner(name, threads=threads, logs=self._logs, gpu=self._gpu)
        return self._runners[name]


def order(laps: Mapping[str, int]) -> tuple[str, ...]:
    """Whose turn it is through one round: each variant's laps spread evenly over the round.

    order({"a": 1, "b": 3}) is ("b", "a", "b", "b").
    """
    turns = [((k + 0.5) / count, name) for name, count in laps.items() for k in range(count)]
    return tuple(name for _, name in sorted(turns, key=lambda turn: turn[0]))


def warm_up(runner: Runner, laps: int) -> None:
    """Some laps; and where they compiled something, whole rounds until one compiles nothing."""
    done = runner.laps(WARM_LAPS)
    for _ in range(MOST_WARM_ROUNDS):
        if not total(done).graphs:
            return
        done = runner.laps(laps)
    raise RaceError(f"{runner.name} still compiles after {MOST_WARM_ROUNDS} rounds of {laps} laps")


def run(
    runners: Iterable[Runner], laps: Mapping[str, int], *, rounds: int
) -> Mapping[str, tuple[Lap, ...]]:
    """For every variant one summed lap per round, after its warm-up."""
    by_name = {runner.name: runner for runner in runners}
    for name, runner in by_name.items():
        warm_up(runner, laps[name])
    done = [_round(by_name, laps) for _ in range(rounds)]
    return {name: tuple(round_[name] for round_ in done) for name in by_name}


def _round(runners: Mapping[str, Runner], laps: Mapping[str, int]) -> Mapping[str, Lap]:
    done: dict[str, list[Lap]] = {name: [] for name in runners}
    for name in order({name: laps[name] for name in runners}):
        done[name].extend(runners[name].laps(1))
    return {name: total(of_one) for name, of_one in done.items()}

"""A few steps of a training on a time line, for those who want to know where the time goes.

`profile/attempt-N/` of the job's folder gets `trace.json`, which Chrome's tracing page and Perfetto
open, and `table.txt`; then, of further steps, which calls took how long: `flame.svg`, which any
browser shows, and `stacks.txt`. Nothing that is computed changes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft_api.vocabulary import Env, ProfileFile, StoreFile
from graft_worker.report import files
from graft_worker.run import flames, folding
from graft_worker.train.phases import PHASES

if TYPE_CHECKING:
    from torch.profiler import profile

    from graft_worker.config import Settings
    from graft_worker.distributed.process import Process
    from graft_worker.train.run import Run

WARM = 5  # steps that are let pass: kernels are made, caches fill
STEPS = 3
ROWS = 12  # operators in the table

log = logging.getLogger(__name__)


def wished(
    environ: Mapping[str, str], settings: Settings, process: Process
) -> tuple[Profiling, ...]:
    """The callback that records the leading process, where the environment asks for it."""
    if environ.get(Env.PROFILE) != "1" or not process.leads:
        return ()
    attempt = f"attempt-{settings.attempt}"
    return (Profiling(settings.job_dir / StoreFile.PROFILE / attempt),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A phase of a step, or an operator and the time that it took without what it called."""

    name: str
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What some steps are recorded for, and how that is written into a folder."""

    what: str
    calls: bool  # of Python, too: steps are slower then
    write: Callable[[profile, Path, int], None]


class Profiling:
    """Records the steps after the first ones, once in a start: `steps` for each recording."""

    name = "profiling"

    def __init__(self, folder: Path, *, warm: int = WARM, steps: int = STEPS) -> None:
        self._folder, self._warm, self._steps = folder, warm, steps
        self._seen = 0
        self._recorder: profile | None = None

    def after_step(self, run: Run) -> None:
        """Begins and ends a recording between two steps."""
        self._seen += 1
        number, within = divmod(self._seen - self._warm, self._steps)
        if within or not 0 <= number <= len(RECORDINGS):
            return
        if self._recorder is not None:
            self._end(self._recorder, RECORDINGS[number - 1])
        if number < len(RECORDINGS):
            self._begin(run, RECORDINGS[number])

    def at_end(self, run: Run) -> None:  # noqa: ARG002
        """Says where the training was too short to be recorded."""
        if self._recorder is not None:
            self._recorder.stop()
        for number, recording in enumerate(RECORDINGS, 1):
            if self._seen < (needed := self._warm + number * self._steps):
                log.warning(
                    "profile: no %s is recorded, the training ended before step %d of this start",
                    recording.what,
                    needed,
                )

    def _begin(self, run: Run, recording: Recording) -> None:
        from torch.profiler import ProfilerActivity, profile

        on_gpu = run.work.process.device.type == "cuda"
        more = (ProfilerActivity.CUDA,) if on_gpu else ()
        activities = [ProfilerActivity.CPU, *more]
        self._recorder = profile(activities=activities, with_stack=recording.calls)
        self._recorder.start()

    def _end(self, recorder: profile, recording: Recording) -> None:
        recorder.stop()
        self._recorder = None
        self._folder.mkdir(parents=True, exist_ok=True)
        recording.write(recorder, self._folder, self._steps)
        log.info("profile: the %s of some steps is in %s", recording.what, self._folder)


def _time_line(recorder: profile, folder: Path, steps: int) -> None:
    beside = folder / f".{ProfileFile.TRACE}.partial"
    recorder.export_chrome_trace(str(beside))
    beside.replace(folder / ProfileFile.TRACE)
    files.replace(folder / ProfileFile.TABLE, table(*_shares(recorder.key_averages()), steps=steps))


def _flame_graph(recorder: profile, folder: Path, steps: int) -> None:  # noqa: ARG001
    # The profiler's own stacks leave out what Python itself takes and the names of operators.
    beside = folder / ".calls.json.partial"
    recorder.export_chrome_trace(str(beside))
    stacks = folding.folded(folding.calls(json.loads(beside.read_bytes())))
    beside.unlink()
    files.replace(folder / ProfileFile.STACKS, folding.text(stacks))
    files.replace(folder / ProfileFile.FLAMES, flames.svg(stacks))


# Apart, for the names of all calls cost time, which the time line would show as the step's.
RECORDINGS = (
    Recording(what="time line", calls=False, write=_time_line),
    Recording(what="flame graph", calls=True, write=_flame_graph),
)


def _shares(events: Any) -> tuple[list[Share], list[Share]]:
    """Phases by the whole time within them; operators by their own, those of a GPU if any."""
    phases = [
        Share(name=e.key, calls=e.count, seconds=e.cpu_time_total / 1e6)
        for e in events
        if e.key in PHASES
    ]
    ops = [e for e in events if e.key not in PHASES]
    on_gpu = any(e.self_device_time_total for e in ops)
    own = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    return phases, [Share(name=e.key, calls=e.count, seconds=getattr(e, own) / 1e6) for e in ops]


def table(phases: Sequence[Share], operators: Sequence[Share], *, steps: int) -> str:
    """Phases, then the operators that take the most time: share, milliseconds a step, calls."""
    most = sorted(operators, key=lambda share: -share.seconds)
    rest = most[ROWS:]
    others = Share(
        name=f"{len(rest)} others",
        calls=sum(share.calls for share in rest),
        seconds=sum(share.seconds for share in rest),
    )
    head = f"{'share':>6} {'ms a step':>10} {'calls':>7}"
    parts = (
        f"{head}  phase",
        *_lines(sorted(phases, key=lambda share: -share.seconds), steps),
        f"{head}  operator, by its own time",
        *_lines([*most[:ROWS], others], steps),
    )
    return "".join(f"{line}\n" for line in parts)


def _lines(shares: Sequence[Share], steps: int) -> list[str]:
    whole = sum(share.seconds for share in shares) or 1.0
    return [
        f"{s.seconds / whole:6.1%} {s.seconds / steps * 1e3:10.2f} {s.calls / steps:7.1f}  {s.name}"
        for s in shares
    ]

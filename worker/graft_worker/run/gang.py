"""The workers of this node under torchelastic, in process, with exit codes that mean something.

torchrun ends with 1 whatever its worker ended with, restarts what no restart can mend, and leaves a
rendezvous only by falling silent. This launcher ends with the code of the worker that failed first
and leaves at once when its node goes.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch.distributed.elastic.agent.server.api import (
    RunResult,
    WorkerGroup,
    WorkerSpec,
    WorkerState,
)
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.rendezvous import RendezvousTimeoutError
from torch.distributed.launcher.api import LaunchConfig

from graft_api.errors import Stopped, WorldError
from graft_api.progress import Termination
from graft_api.vocabulary import Env, ExitCode
from graft_worker.report import termination
from graft_worker.report.board import Board

from . import lifeline, reception, rendezvous
from .guard import words_of
from .outcomes import Ended, cause, exit_code, spoken

TRAIN = ("-u", "-m", "graft_worker", "train")
FINAL = frozenset(ExitCode) - {ExitCode.DONE, ExitCode.FAILED}
WORDS = "words"  # last words of the workers, in the launcher's folder
AT_WILL = frozenset({ExitCode.DONE, ExitCode.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    code: int
    words: Termination | None


def run(environ: Mapping[str, str], *, program: tuple[str, ...] = TRAIN) -> int:
    """The exit code of the worker that failed first, 128 + n for signal n, or 0.

    `program` is what Python runs in each worker. The cause's last words become the launcher's.

    Raises:
        ConfigError: torchrun's variables cannot be used.
        WorldError: too few nodes came together in time.
        Stopped: asked to stop before any worker ran, or the gang has no place for this node.
    """
    place = environ.get(Env.TERMINATION_FILE)
    folder = Path(tempfile.mkdtemp(prefix="graft-launch-"))
    try:
        config = rendezvous.configured(program, logs=folder)
        _tell_workers(folder)
        end = _supervised(config, program, environ=environ, folder=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if place and end.words:
        termination.write(Path(place), end.words)
    return end.code


class Agent(LocalElasticAgent):
    """torchelastic's agent, which notes who failed first and restarts nothing in vain."""

    board: Board
    first: tuple[int, ...] = ()  # process ids that had failed before the agent stopped the others
    patience: float | None = None  # the moment until which others may save after one has stopped

    def runs(self) -> bool:
        """Whether this node has joined and its workers are at work."""
        return bool(self._worker_group.state == WorkerState.HEALTHY)

    def codes(self) -> dict[int, int | None]:
        """Exit codes by process id of the workers started last, in order of local rank."""
        handlers = getattr(self._pcontext, "subprocess_handlers", {})
        return {handlers[rank].proc.pid: handlers[rank].proc.poll() for rank in sorted(handlers)}

    def ranks(self) -> dict[int, int]:
        """Ranks in the world by process id."""
        return {worker.id: worker.global_rank for worker in self._worker_group.workers}

    def kill(self) -> None:
        """No worker runs afterwards, whatever interrupted the orderly end."""
        if self._pcontext:
            self._pcontext.close(signal.SIGKILL)

    def _monitor_workers(self, worker_group: WorkerGroup) -> RunResult:
        failed = tuple(process for process, code in self.codes().items() if code)
        if self._others_save():
            return RunResult(state=WorkerState.HEALTHY)
        result: RunResult = super()._monitor_workers(worker_group)
        self.first = failed or tuple(failure.pid for failure in result.failures.values())[:1]
        # The others end with 75 because the agent stops them: only the first ones' codes count.
        if any(code in FINAL for process, code in self.codes().items() if process in self.first):
            self._remaining_restarts = 0
        return result

    def _others_save(self) -> bool:
        """Whether some stopped on request while others, such as rank 0, are still writing."""
        codes = set(self.codes().values())
        if not codes <= AT_WILL | {None} or not codes >= {ExitCode.STOPPED, None}:
            return False
        if self.patience is None:
            self.patience = time.monotonic() + self._shutdown_timeout
        return time.monotonic() < self.patience


def _tell_workers(folder: Path) -> None:
    # Workers inherit this process's environment: torchelastic has no other way to give them more.
    os.environ[lifeline.LAUNCHER] = str(os.getpid())
    os.environ[lifeline.FOLDER] = str(folder)
    os.environ[Env.TERMINATION_FILE] = str(folder / WORDS)
    os.environ.setdefault("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")


def _supervised(
    config: LaunchConfig, program: Sequence[str], *, environ: Mapping[str, str], folder: Path
) -> _End:
    board = Board.create(folder / lifeline.BOARD, workers=config.nproc_per_node)
    spec = rendezvous.specified(config, program=program)
    agent = _agent(config, spec, board)
    with reception.answering(environ, folder=folder, board=board, ready=agent.runs):
        return _run(agent, config, words=folder / WORDS)


def _agent(config: LaunchConfig, spec: WorkerSpec, board: Board) -> Agent:
    assert config.logs_specs
    agent = Agent(
        spec,
        logs_specs=config.logs_specs,
        start_method=config.start_method,
        log_line_prefix_template=config.log_line_prefix_template,
        shutdown_timeout=config.shutdown_timeout or 0,
    )
    agent.board = board
    return agent


def _run(agent: Agent, config: LaunchConfig, *, words: Path) -> _End:
    handler = agent.get_worker_group().spec.rdzv_handler
    try:
        end = _finished(agent, agent.run(), words)
    except Stopped:
        rendezvous.leave(handler)
        raise
    except SignalException:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        agent.kill()
        rendezvous.leave(handler)
        return _stopped(agent, words)
    except RendezvousTimeoutError as error:
        raise _too_few(config) from error
    finally:
        agent.kill()
    if end.code == ExitCode.NODE:
        rendezvous.leave(handler)
    else:
        handler.shutdown()
    return end


def _finished(agent: Agent, result: RunResult | None, words: Path) -> _End:
    if result is None:
        raise Stopped("the gang is complete without this node")
    ended = _ended(agent, words)
    if not result.is_failed():
        return _End(code=ExitCode.DONE, words=_last(ended.values()))
    first = cause(ended[process] for process in agent.first or ended)
    return _End(code=exit_code(first.code), words=spoken(first))


def _stopped(agent: Agent, words: Path) -> _End:
    """75 where the workers saved, else what went wrong with the first that did not."""
    ended = _ended(agent, words).values()
    faults = [worker for worker in ended if worker.code not in AT_WILL]
    telling = cause(faults) if faults else max(ended, key=lambda worker: worker.code)
    return _End(code=exit_code(telling.code), words=spoken(telling))


def _last(ended: Iterable[Ended]) -> Termination | None:
    # Rank 0 alone has an artefact to tell of; on another node nobody has.
    return next((worker.words for worker in ended if worker.words), None)


def _ended(agent: Agent, words: Path) -> dict[int, Ended]:
    ranks = agent.ranks()
    return {
        process: _one(process, code, rank=ranks.get(process, 0), words=words)
        for process, code in agent.codes().items()
    }


def _one(process: int, code: int | None, *, rank: int, words: Path) -> Ended:
    path = words_of(words, process)
    last = termination.read(path)
    return Ended(
        rank=rank,
        code=-signal.SIGKILL if code is None else code,  # a process that cannot even be killed
        words=last,
        moment=path.stat().st_mtime_ns if last else 0,
    )


def _too_few(config: LaunchConfig) -> WorldError:
    return WorldError(
        f"fewer than {config.min_nodes} nodes came to {config.rdzv_endpoint} in time",
        hint="see why the other workers do not start, or lower workers.min",
    )

"""torchelastic's agent of one node, made to notice more and to restart nothing in vain.

It notes who failed first, sees workers that hang and nodes that vanish, lets workers save before a
gang forms anew, and stops where a failure comes back at the same step.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from torch.distributed.elastic.agent.server.api import RunResult, WorkerGroup, WorkerState
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent

from graft_api.vocabulary import Env, ExitCode
from graft_worker.report import termination
from graft_worker.report.board import Board

from . import lifeline, oom, rendezvous, stacks, watch
from .guard import words_of
from .outcomes import Ended, Killed, cause, lost_peers
from .signs import Signs, hopeless

FINAL = frozenset(ExitCode) - {ExitCode.DONE, ExitCode.FAILED}
AT_WILL = frozenset({ExitCode.DONE, ExitCode.STOPPED})
WORDS = "words"  # last words of the workers, in the launcher's folder
LOST_SECONDS = 5  # for workers whose peers are gone: a save that is being written may end

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What the agent of a node knows besides its workers."""

    board: Board
    folder: Path  # shared with the workers
    stacks: Path  # where stacks of hung workers go
    alone: bool  # whether the gang never has another node
    collective: float  # seconds that an exchange waits for lost peers
    stop_file: Path | None = None


class Agent(LocalElasticAgent):
    """The agent; `node` and `signs` are set right after it is made."""

    node: Node
    signs: Signs  # of the other nodes; set with it
    first: tuple[int, ...] = ()  # process ids that had failed before the agent stopped the others
    repeated: Ended | None = None  # the failure that came twice at the same step
    patience: float | None = None  # the moment until which others may save after one has stopped
    _failure: tuple[int, int] | None = None  # exit code and step of the failure before
    _killed: dict[int, Killed]  # why this launcher ends workers that still run, by process id
    _oom_kills: int | None = None  # of the kernel, before the workers were started

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

    def ended(self) -> dict[int, Ended]:
        """How each worker started last has ended, by process id."""
        ranks = self.ranks()
        steps = (pulse.step for pulse in self.node.board.pulses())
        return {
            process: replace(
                self._one(process, code, rank=ranks.get(process, 0)), step=step or None
            )
            for (process, code), step in zip(self.codes().items(), steps, strict=False)
        }

    def kill(self, why: Killed = Killed.LATE) -> None:
        """No worker runs afterwards, whatever interrupted the orderly end."""
        self._note_running(why)
        if self._pcontext:
            self._pcontext.close(signal.SIGKILL)

    def _start_workers(self, worker_group: WorkerGroup) -> dict[int, int]:
        self.node.board.clear()
        self.patience, self.first, self._killed = None, (), {}
        self._oom_kills = oom.kills()
        self.signs.clear()
        started: dict[int, int] = super()._start_workers(worker_group)
        return started

    def _monitor_workers(self, worker_group: WorkerGroup) -> RunResult:
        failed = tuple(process for process, code in self.codes().items() if code)
        if self._others_save():
            return RunResult(state=WorkerState.HEALTHY)
        result: RunResult = super()._monitor_workers(worker_group)
        if result.state == WorkerState.HEALTHY:
            self._look_after(worker_group)
            return result
        self.first = failed or tuple(failure.pid for failure in result.failures.values())[:1]
        if self.first:
            self._judge()
        return result

    def _stop_workers(self, worker_group: WorkerGroup) -> None:
        """Lets workers save as long as a stop may last; lost or stopped ones have less time."""
        lost = worker_group.state in (WorkerState.FAILED, WorkerState.UNHEALTHY)
        if self._stand_still() or watch.overdue(self.node.board, time.monotonic()):
            self._dump()
            self.kill(Killed.HUNG)
        grace = min(LOST_SECONDS, self._shutdown_timeout) if lost else self._shutdown_timeout
        self._shutdown(timeout=grace)

    def _shutdown(self, death_sig: signal.Signals = signal.SIGTERM, timeout: int = 30) -> None:
        """Kills at once where the time that workers without their peers have is over by now."""
        stepped = max((pulse.moment for pulse in self.node.board.pulses()), default=0.0)
        if hopeless(self.signs, idle=time.monotonic() - stepped, allowed=LOST_SECONDS):
            self.kill(Killed.FORSAKEN)
        self._note_running(Killed.LATE)  # whom the next line may kill in the end
        super()._shutdown(death_sig, timeout)

    def _note_running(self, why: Killed) -> None:
        for process, code in self.codes().items():
            if code is None:
                self._killed.setdefault(process, why)

    def _others_save(self) -> bool:
        """Whether some stopped on request while others, such as rank 0, are still writing."""
        codes = set(self.codes().values())
        if not codes <= AT_WILL | {None} or not codes >= {ExitCode.STOPPED, None}:
            return False
        if self.patience is None:
            self.patience = time.monotonic() + self._shutdown_timeout
        return time.monotonic() < self.patience

    def _look_after(self, worker_group: WorkerGroup) -> None:
        self._end_if_hung()
        world = worker_group.group_world_size or 1
        if rendezvous.lost(self._rdzv_handler, world, self.signs):
            log.warning("a node of the gang is gone: the others form it anew")
            worker_group.state = WorkerState.UNHEALTHY
            self._restart_workers(worker_group)

    def _end_if_hung(self) -> None:
        now = time.monotonic()
        # Workers that only wait for those of another node fail by themselves when that one ends.
        spare = 0.0 if self.node.alone or self._stand_still() else self.node.collective
        if pulse := watch.overdue(self.node.board, now - spare):
            where = self._dump()
            self.kill(Killed.HUNG)
            raise watch.hung(pulse, now, where)

    def _judge(self) -> None:
        """Decides whether another round can mend what ended this one."""
        # The others end with 75 because the agent stops them: only the first ones' codes count.
        workers = [worker for process, worker in self.ended().items() if process in self.first]
        codes = {worker.code for worker in workers}
        if self._gang_forms_anew(codes):
            self._remaining_restarts += 1  # what another node wanted costs this one nothing
        elif codes & FINAL or self._again(cause(workers)):
            self._remaining_restarts = 0

    def _gang_forms_anew(self, codes: set[int]) -> bool:
        """Whether the workers stopped because another node leaves or comes, not this one."""
        stop = self.node.stop_file
        asked = stop is not None and stop.exists()
        return codes == {ExitCode.STOPPED} and not self.node.alone and not asked

    def _again(self, worker: Ended) -> bool:
        """Whether the same failure came at the same step as the one before.

        Who kills workers from outside may well come twice before a step is done.
        """
        if lost_peers(worker) or worker.killed_from_outside:
            return False
        step = max((pulse.step for pulse in self.node.board.pulses()), default=0)
        before, self._failure = self._failure, (worker.code, step)
        if before != self._failure or not step:
            return False
        log.error("the same failure twice after step %d: no other round is tried", step)
        self.repeated = worker
        return True

    def _stand_still(self) -> bool:
        return any(_status(process) == psutil.STATUS_STOPPED for process in self.codes())

    def _dump(self) -> Path:
        running = {
            process: self.ranks()[process] for process, c in self.codes().items() if c is None
        }
        try:
            return stacks.gather(running, folder=self.node.folder, to=self.node.stacks)
        except OSError as error:
            log.warning("%s: the stacks cannot be written: %s", self.node.stacks, error.strerror)
            return self.node.stacks

    def _one(self, process: int, code: int | None, *, rank: int) -> Ended:
        path = words_of(self.node.folder / WORDS, process)
        last = termination.read(path)
        return Ended(
            rank=rank,
            code=-signal.SIGKILL if code is None else code,  # one that cannot even be killed
            words=last,
            moment=path.stat().st_mtime_ns if last else 0,
            killed=self._killed.get(process),
            memory_sufficed=self._oom_kills is not None and oom.kills() == self._oom_kills,
        )


def _status(process: int) -> str:
    try:
        return str(psutil.Process(process).status())
    except psutil.NoSuchProcess:
        return psutil.STATUS_DEAD


def tell_workers(folder: Path) -> None:
    """Workers started from now on know this launcher and the folder that they share with it."""
    # They inherit this process's environment: torchelastic has no other way to give them more.
    os.environ[lifeline.LAUNCHER] = str(os.getpid())
    os.environ[lifeline.FOLDER] = str(folder)
    os.environ[Env.TERMINATION_FILE] = str(folder / WORDS)
    os.environ.setdefault("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")

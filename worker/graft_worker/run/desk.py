"""How a training process talks with the world outside: signs and reports out, requests in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from graft_api.progress import State
from graft_api.scalars import seconds
from graft_worker.config import Settings
from graft_worker.distributed.process import Process
from graft_worker.report import heart, last_words
from graft_worker.report.answers import Answers, announce
from graft_worker.report.board import Board, SaveRequest
from graft_worker.report.heart import Heart
from graft_worker.report.reporter import Reporter
from graft_worker.report.server import Address

from . import faults, lifeline, profiling, stacks, watch
from .faults import Rehearsal
from .profiling import Profiling


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the training is given for that."""

    reporter: Reporter
    heart: Heart
    save: SaveRequest
    rehearsal: Rehearsal
    recording: tuple[Profiling, ...]

    def say(self, state: State) -> None:
        """Reports the same again with another state."""
        if self.reporter.last is not None:
            self.reporter.publish(replace(self.reporter.last, state=state))


@contextmanager
def opened(settings: Settings, process: Process, environ: Mapping[str, str]) -> Iterator[Desk]:
    """The desk of this process. One without a launcher answers over HTTP and watches itself.

    Errors from within say after which step they arose.

    Raises:
        ConfigError: the address cannot be had.
    """
    with ExitStack() as closing:
        if lifeline.FOLDER in environ:
            desk = _below_launcher(settings, process, environ)
        else:
            desk = _alone(settings, process, environ, closing)
        try:
            yield desk
        except Exception as error:
            last_words.note_step(error, desk.heart.step)
            raise


def _below_launcher(settings: Settings, process: Process, environ: Mapping[str, str]) -> Desk:
    folder = Path(environ[lifeline.FOLDER])
    board = Board.open(folder / lifeline.BOARD)
    copy = folder / lifeline.REPORT if process.local_rank == 0 else None
    stacks.listen(folder, process.rank)
    return Desk(
        reporter=Reporter(_files(settings, process), copy=copy),
        heart=_heart(settings, process, board, worker=process.local_rank),
        save=SaveRequest(board),
        rehearsal=_rehearsal(process, environ),
        recording=profiling.wished(environ, settings, process),
    )


def _alone(
    settings: Settings, process: Process, environ: Mapping[str, str], closing: ExitStack
) -> Desk:
    board = Board.alone()
    reporter = Reporter(_files(settings, process))
    if process.local_rank == 0:
        host, port = settings.address
        answers = Answers(
            report=lambda: reporter.last,
            ready=lambda: True,
            ask=board.ask,
            control_hash=settings.control_hash,
        )
        server = answers.serve(Address(host=host, port=port))
        closing.callback(server.close)
        if process.leads:
            announce(settings.job_dir, server.address)
    closing.callback(watch.guard(board, environ))
    return Desk(
        reporter=reporter,
        heart=_heart(settings, process, board, worker=0),
        save=SaveRequest(board),
        rehearsal=_rehearsal(process, environ),
        recording=profiling.wished(environ, settings, process),
    )


def _rehearsal(process: Process, environ: Mapping[str, str]) -> Rehearsal:
    marks = stacks.home(environ, otherwise=Path.cwd())
    return Rehearsal(faults.wished(environ), rank=process.rank, marks=marks)


def _files(settings: Settings, process: Process) -> Path | None:
    return settings.job_dir if process.leads else None


def _heart(settings: Settings, process: Process, board: Board, *, worker: int) -> Heart:
    hang = settings.job.spec.run.deadlines.hang
    patience = heart.patience(
        None if hang == "auto" else seconds(hang),
        collective=settings.collective_seconds if process.world > 1 else 0.0,
    )
    return Heart(board, patience, worker=worker)

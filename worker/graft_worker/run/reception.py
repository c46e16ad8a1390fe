"""What a launcher answers over HTTP for its workers, whatever becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from graft_api.progress import ProgressReport
from graft_api.vocabulary import Env
from graft_worker.config import metrics_address
from graft_worker.report.answers import Answers, announce
from graft_worker.report.board import Board
from graft_worker.report.server import Address

from . import lifeline

AT_WORK = ("Training", "Evaluating", "Saving")


@contextmanager
def answering(
    environ: Mapping[str, str], *, folder: Path, board: Board, ready: Callable[[], bool]
) -> Iterator[Address]:
    """Answers while the context lasts; `folder` is where the workers leave their reports.

    Raises:
        ConfigError: the address cannot be had.
    """
    host, port = metrics_address(environ)
    answers = Answers(
        report=lambda: _report(folder / lifeline.REPORT, ready=ready()),
        ready=ready,
        ask=board.ask,
        control_hash=environ.get(Env.CONTROL_HASH, ""),
    )
    server = answers.serve(Address(host=host, port=port))
    if not port and (job := environ.get(Env.JOB_DIR)):
        announce(Path(job), server.address)
    try:
        yield server.address
    finally:
        server.close()


def _report(path: Path, *, ready: bool) -> ProgressReport | None:
    """The newest report; between two rounds of workers, that they start again."""
    try:
        report = ProgressReport.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if not ready and report.state in AT_WORK:
        return replace(report, state="Starting")
    return report

"""One ProgressReport to all who read it: files, log, and the launcher that answers for us."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from graft_api.progress import ProgressReport
from graft_api.vocabulary import StoreFile

from . import files
from .finite import finite

LOG_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Reporter:
    """Publishes reports: into `job_dir` where given (rank 0), as the file `copy` where given (for
    a launcher that answers for this process), and into the log.
    """

    def __init__(
        self,
        job_dir: Path | None,
        *,
        copy: Path | None = None,
        log_seconds: float = LOG_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._job_dir = job_dir
        self._copy = copy
        self._log_seconds = log_seconds
        self._clock = clock
        self._report: ProgressReport | None = None
        self._logged = -math.inf
        self._complained = False

    @property
    def last(self) -> ProgressReport | None:
        """The newest report, or None before the first one."""
        return self._report

    def publish(self, report: ProgressReport) -> None:
        """Everybody sees this report from now on. A file that cannot be written stops nothing.

        A loss or metric that is not finite is left out of the files, since JSON has no such number.
        """
        changed = self._report is None or self._report.state != report.state
        self._report = report
        self._write(finite(report).to_json())
        now = self._clock()
        if changed or now - self._logged >= self._log_seconds:
            self._logged = now
            logger.info("%s", sentence(report))

    def _write(self, line: str) -> None:
        try:
            if self._copy:
                files.replace(self._copy, line)
            if self._job_dir:
                files.replace(self._job_dir / StoreFile.PROGRESS, line)
                files.append(self._job_dir / StoreFile.METRICS, line)
            self._complained = False
        except OSError as error:
            if not self._complained:
                logger.warning("%s: no progress is written: %s", self._job_dir, error.strerror)
            self._complained = True


def sentence(report: ProgressReport) -> str:
    """The report in one line for a person."""
    parts = [f"{report.state}: step {report.step:,} of {report.total_steps:,}"]
    if report.loss is not None:
        parts.append(f"loss {report.loss:.4f}")
    parts += [f"{name} {value:.4f}" for name, value in report.metrics.items()]
    if report.tokens_per_second:
        parts.append(f"{report.tokens_per_second:,.0f} tokens/s")
    if report.remaining_seconds is not None:
        parts.append(f"{report.remaining_seconds:,.0f} s left")
    return ", ".join(parts)

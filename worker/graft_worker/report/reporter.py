"""One ProgressReport to all who read it: file, curve, Prometheus, operator and log."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from time import monotonic

from graft_api.progress import ProgressReport
from graft_api.vocabulary import StoreFile

from . import files
from .exposition import CONTENT_TYPE, exposition
from .server import Address, Page, Server

PORT_FILE = "port.json"
LOG_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Reporter:
    """Publishes reports: into `job_dir` where given (rank 0), at `address` where given (local
    rank 0 of every worker), and into the log.

    Raises:
        ConfigError: the address cannot be had.
    """

    def __init__(
        self,
        job_dir: Path | None,
        *,
        address: Address | None = None,
        log_seconds: float = LOG_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._job_dir = job_dir
        self._log_seconds = log_seconds
        self._clock = clock
        self._report: ProgressReport | None = None
        self._logged = -math.inf
        self._complained = False
        self._server = Server(self._pages(), address=address) if address else None
        if self._server:
            self._try(lambda folder: files.replace(folder / PORT_FILE, self._port_json()))

    @property
    def address(self) -> Address | None:
        """Where it listens, with the port that was chosen."""
        return self._server.address if self._server else None

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
        self._try(lambda folder: _write(folder, _finite(report).to_json()))
        now = self._clock()
        if changed or now - self._logged >= self._log_seconds:
            self._logged = now
            logger.info("%s", sentence(report))

    def close(self) -> None:
        """The port is free again; the files stay."""
        if self._server:
            self._server.close()

    def _pages(self) -> dict[str, Callable[[], Page]]:
        return {
            "/metrics": lambda: self._page(exposition, CONTENT_TYPE),
            "/progress": lambda: self._page(
                lambda report: _finite(report).to_json().encode(), "application/json"
            ),
            "/healthz": lambda: Page(body=b"ok\n"),
        }

    def _page(self, content: Callable[[ProgressReport], bytes], content_type: str) -> Page:
        if self._report is None:
            return Page(body=b"no report yet\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Page(body=content(self._report), content_type=content_type)

    def _port_json(self) -> str:
        assert self._server
        address = self._server.address
        return json.dumps({"host": address.host, "port": address.port})

    def _try(self, effect: Callable[[Path], None]) -> None:
        if self._job_dir is None:
            return
        try:
            effect(self._job_dir)
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


def _write(folder: Path, line: str) -> None:
    files.replace(folder / StoreFile.PROGRESS, line)
    files.append(folder / StoreFile.METRICS, line)


def _finite(report: ProgressReport) -> ProgressReport:
    """The report as JSON can carry it."""
    return replace(
        report,
        loss=_number(report.loss),
        learning_rate=_number(report.learning_rate),
        remaining_seconds=_number(report.remaining_seconds),
        metrics={name: value for name, value in report.metrics.items() if math.isfinite(value)},
    )


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

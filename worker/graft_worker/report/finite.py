"""A report as JSON can carry it: without numbers that JSON lacks."""

from __future__ import annotations

import math
from dataclasses import replace

from graft_api.progress import ProgressReport


def finite(report: ProgressReport) -> ProgressReport:
    """The report without a loss, metric or other number that is not finite."""
    return replace(
        report,
        loss=_number(report.loss),
        learning_rate=_number(report.learning_rate),
        remaining_seconds=_number(report.remaining_seconds),
        metrics={name: value for name, value in report.metrics.items() if math.isfinite(value)},
    )


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

"""Progress in words: rates, times and shares as people read them; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graft_api.progress import ProgressReport


def steps(report: ProgressReport) -> str:
    """`step 120/300`, or only the step where the end is not known."""
    return (
        f"step {report.step}/{report.total_steps}" if report.total_steps else f"step {report.step}"
    )


def details(report: ProgressReport) -> tuple[str, ...]:
    """Loss, rates, time left and the newest metrics, as far as the report has them."""
    parts: list[str] = []
    if report.loss is not None:
        parts.append(f"loss {report.loss:.4g}")
    if report.samples_per_second:
        parts.append(f"{count(report.samples_per_second)} texts/s")
    if report.tokens_per_second:
        parts.append(f"{count(report.tokens_per_second)} tokens/s")
    if report.remaining_seconds is not None:
        parts.append(f"{span(report.remaining_seconds)} left")
    return (*parts, *metrics(report))


def metrics(report: ProgressReport, *, most: int = 2) -> tuple[str, ...]:
    """The first metrics of the newest evaluation, `most` of them; its loss comes last."""
    ordered = sorted(report.metrics.items(), key=lambda pair: "loss" in pair[0])
    return tuple(f"{name} {value:.4g}" for name, value in ordered[:most])


def count(number: float) -> str:
    """A whole number with thousands parted; small ones with the digits that matter."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def span(seconds: float) -> str:
    """A time as `0:07`, `12:30` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

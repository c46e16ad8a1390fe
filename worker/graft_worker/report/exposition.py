"""One ProgressReport as Prometheus text: the `graft_train_` series of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from graft_api.progress import ProgressReport

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DEFAULT_SPLIT = "validation"


def exposition(report: ProgressReport) -> bytes:
    """The report in Prometheus' text format. What the report leaves open has no sample.

    An evaluation metric named `split/name` belongs to that split, one without to validation.
    """
    registry = CollectorRegistry()
    registry.register(_Families(report))
    return generate_latest(registry)


class _Families:
    def __init__(self, report: ProgressReport) -> None:
        self._report = report

    def collect(self) -> Iterator[Metric]:
        """Every family, in the order of the documentation."""
        yield from _gauges(self._report)
        yield from _counters(self._report)
        yield _evaluation(self._report)


def _gauges(report: ProgressReport) -> Iterator[Metric]:
    rows: tuple[tuple[str, str, float | None], ...] = (
        ("step", "Optimizer steps done", report.step),
        ("steps_planned", "Optimizer steps of the whole job", report.total_steps),
        ("epoch", "Passes over the training split", report.epoch),
        ("loss", "Mean loss of the newest step's global batch", report.loss),
        ("learning_rate", "Learning rate of the newest step", report.learning_rate),
        ("world_size", "Processes that train together", report.world_size),
        (
            "last_checkpoint_timestamp_seconds",
            "When the newest checkpoint was saved, seconds since 1970",
            _seconds(report.checkpoint_time),
        ),
    )
    for name, text, value in rows:
        if value is not None:
            yield GaugeMetricFamily(f"graft_train_{name}", text, value=value)


def _counters(report: ProgressReport) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "graft_train_tokens", "Real tokens trained on, padding not counted", value=report.tokens
    )
    yield CounterMetricFamily("graft_train_samples", "Sequences trained on", value=report.samples)


def _evaluation(report: ProgressReport) -> Metric:
    family = GaugeMetricFamily(
        "graft_train_metric", "Newest value of an evaluation metric", labels=("name", "split")
    )
    for key, value in report.metrics.items():
        split, _, name = key.rpartition("/")
        family.add_metric((name, split or DEFAULT_SPLIT), value)
    return family


def _seconds(moment: str | None) -> float | None:
    return datetime.fromisoformat(moment).timestamp() if moment else None

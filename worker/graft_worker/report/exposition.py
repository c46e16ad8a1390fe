"""One ProgressReport as Prometheus text: the `graft_train_` series of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from graft_api.progress import STEP_BUCKETS, ProgressReport, spent

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DEFAULT_SPLIT = "validation"
BOUNDS = (*map(str, STEP_BUCKETS), "+Inf")


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
        yield _times(self._report)
        yield from _counters(self._report)
        yield _durations(self._report)
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
        ("checkpoint_bytes", "Size of the newest checkpoint", report.checkpoint_bytes),
        (
            "checkpoint_duration_seconds",
            "How long the newest checkpoint took to write, in the background",
            report.checkpoint_seconds or None,
        ),
        ("real_tokens_ratio", "Share of real tokens among those computed", report.fill or None),
        ("mfu_ratio", "Share of the devices' peak that the model uses", report.mfu),
        (
            "memory_peak_bytes",
            "Most memory this process has held",
            report.memory_peak_bytes or None,
        ),
    )
    for name, text, value in rows:
        if value is not None:
            yield GaugeMetricFamily(f"graft_train_{name}", text, value=value)


def _times(report: ProgressReport) -> Metric:
    """A gauge: steps that are lost with a process are productive no longer."""
    family = GaugeMetricFamily(
        "graft_train_time_seconds", "Where the time of the training went", labels=("part",)
    )
    for part, seconds in spent(report).items():
        family.add_metric((part,), seconds)
    return family


def _counters(report: ProgressReport) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "graft_train_tokens", "Real tokens trained on, padding not counted", value=report.tokens
    )
    yield CounterMetricFamily("graft_train_samples", "Sequences trained on", value=report.samples)
    yield CounterMetricFamily(
        "graft_train_nonfinite",
        "Steps left out, for their loss or gradient was not finite",
        value=report.nonfinite,
    )
    waits = CounterMetricFamily(
        "graft_train_data_wait_seconds", "Time without a batch to train on", labels=("rank",)
    )
    waits.add_metric((str(report.rank),), report.data_wait_seconds)
    yield waits


def _durations(report: ProgressReport) -> Metric:
    family = HistogramMetricFamily(
        "graft_train_step_duration_seconds", "Durations of optimizer steps", labels=("rank",)
    )
    counts = (report.step_histogram.get(bound, 0) for bound in BOUNDS)
    buckets = list(zip(BOUNDS, accumulate(counts), strict=True))
    family.add_metric((str(report.rank),), buckets, report.step_seconds)
    return family


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

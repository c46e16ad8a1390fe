"""The series that the code exports, and those that a query asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from graft_api.progress import STEP_BUCKETS, ProgressReport
from graft_operator import metrics
from graft_worker.report.exposition import exposition

SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}
# What Prometheus adds: by the monitors of the chart, to every series that it scrapes.
TARGET = {"namespace", "pod", "job", "le"}
REPORT = ProgressReport(
    job_uid="uid",
    attempt=1,
    state="Training",
    loss=0.5,
    learning_rate=1e-5,
    metrics={"accuracy": 0.9},
    checkpoint_time="2026-01-01T00:00:00+00:00",
    checkpoint_bytes=1,
    checkpoint_seconds=1.0,
    fill=0.9,
    mfu=0.4,
    step_histogram={str(STEP_BUCKETS[0]): 1},
    memory_peak_bytes=1,
)
NAME = re.compile(r"\bgraft_[a-z_]+\b")
SELECTOR = re.compile(r"\b(graft_[a-z_]+)\{([^}]*)\}")
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def exported() -> dict[str, set[str]]:
    """Every series by name, with the labels that its own program gives it."""
    return dict(_operator()) | dict(_worker())


def names(query: str) -> set[str]:
    """The names of our series in a query."""
    return set(NAME.findall(TEXT.sub('""', query)))


def matched(query: str) -> Iterator[tuple[str, str]]:
    """Name of a series and of a label that the query selects by."""
    for name, inside in SELECTOR.findall(TEXT.sub('""', query)):
        yield from ((name, label) for label in re.findall(r"(\w+)\s*[=!]~?", inside))


def _operator() -> Iterator[tuple[str, set[str]]]:
    for value in vars(metrics).values():
        if isinstance(value, MetricWrapperBase):
            [family] = value.describe()
            for suffix in SUFFIXES[family.type]:
                yield f"{family.name}{suffix}", set(value._labelnames)


def _worker() -> Iterator[tuple[str, set[str]]]:
    for family in text_string_to_metric_families(exposition(REPORT).decode()):
        for sample in family.samples:
            yield sample.name, set(sample.labels)

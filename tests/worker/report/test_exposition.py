from __future__ import annotations

import math

from prometheus_client.parser import text_string_to_metric_families

from graft_api.progress import ProgressReport
from graft_worker.report.exposition import exposition

REPORT = ProgressReport(
    job_uid="reviews-0123abcd",
    attempt=2,
    state="Training",
    step=120,
    total_steps=1000,
    epoch=1.5,
    world_size=4,
    loss=0.25,
    learning_rate=3e-5,
    tokens=81920,
    samples=3840,
    metrics={"accuracy": 0.91, "test/macro_f1": 0.88},
    checkpoint_step=100,
    checkpoint_time="2025-01-02T12:00:00.500+00:00",
)


def samples(report: ProgressReport) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(exposition(report).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_series_are_those_of_the_documentation() -> None:
    assert samples(REPORT) == {
        ("graft_train_step", ()): 120,
        ("graft_train_steps_planned", ()): 1000,
        ("graft_train_epoch", ()): 1.5,
        ("graft_train_loss", ()): 0.25,
        ("graft_train_learning_rate", ()): 3e-5,
        ("graft_train_world_size", ()): 4,
        ("graft_train_last_checkpoint_timestamp_seconds", ()): 1735819200.5,
        ("graft_train_tokens_total", ()): 81920,
        ("graft_train_samples_total", ()): 3840,
        ("graft_train_metric", (("name", "accuracy"), ("split", "validation"))): 0.91,
        ("graft_train_metric", (("name", "macro_f1"), ("split", "test"))): 0.88,
    }


def test_families_have_types_and_help() -> None:
    families = list(text_string_to_metric_families(exposition(REPORT).decode()))
    types = {family.name: family.type for family in families}
    counters = {name for name, kind in types.items() if kind == "counter"}
    assert counters == {"graft_train_tokens", "graft_train_samples"}
    assert {kind for name, kind in types.items() if name not in counters} == {"gauge"}
    assert [family.name for family in families if not family.documentation] == []


def test_what_is_not_known_yet_has_no_sample() -> None:
    names = {name for name, _ in samples(ProgressReport(job_uid="u", attempt=1, state="Starting"))}
    assert names == {
        "graft_train_step",
        "graft_train_steps_planned",
        "graft_train_epoch",
        "graft_train_world_size",
        "graft_train_tokens_total",
        "graft_train_samples_total",
    }


def test_a_loss_that_is_no_number_is_shown_as_such() -> None:
    report = ProgressReport(job_uid="u", attempt=1, state="Training", loss=math.nan)
    assert math.isnan(samples(report)[("graft_train_loss", ())])

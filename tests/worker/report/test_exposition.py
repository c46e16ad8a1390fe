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
    fill=0.96,
    metrics={"accuracy": 0.91, "test/macro_f1": 0.88},
    checkpoint_step=100,
    checkpoint_time="2025-01-02T12:00:00.500+00:00",
    checkpoint_bytes=4096,
    checkpoint_seconds=0.75,
    nonfinite=2,
    productive_seconds=120.5,
    lost_seconds=8.25,
    restarting_seconds=6.0,
    mfu=0.41,
    rank=2,
    step_histogram={"0.1": 5, "0.5": 3, "+Inf": 1},
    step_seconds=130.5,
    data_wait_seconds=1.25,
    memory_peak_bytes=1 << 30,
)


def samples(report: ProgressReport) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(exposition(report).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_series_are_those_of_the_documentation() -> None:
    found = samples(REPORT)
    plain = {key: value for key, value in found.items() if "duration_seconds_" not in key[0]}
    assert plain == {
        ("graft_train_step", ()): 120,
        ("graft_train_steps_planned", ()): 1000,
        ("graft_train_epoch", ()): 1.5,
        ("graft_train_loss", ()): 0.25,
        ("graft_train_learning_rate", ()): 3e-5,
        ("graft_train_world_size", ()): 4,
        ("graft_train_last_checkpoint_timestamp_seconds", ()): 1735819200.5,
        ("graft_train_checkpoint_bytes", ()): 4096,
        ("graft_train_checkpoint_duration_seconds", ()): 0.75,
        ("graft_train_real_tokens_ratio", ()): 0.96,
        ("graft_train_mfu_ratio", ()): 0.41,
        ("graft_train_memory_peak_bytes", ()): 1 << 30,
        ("graft_train_time_seconds", (("part", "productive"),)): 120.5,
        ("graft_train_time_seconds", (("part", "evaluating"),)): 0,
        ("graft_train_time_seconds", (("part", "saving"),)): 0,
        ("graft_train_time_seconds", (("part", "lost"),)): 8.25,
        ("graft_train_time_seconds", (("part", "starting"),)): 0,
        ("graft_train_time_seconds", (("part", "restarting"),)): 6,
        ("graft_train_tokens_total", ()): 81920,
        ("graft_train_samples_total", ()): 3840,
        ("graft_train_nonfinite_total", ()): 2,
        ("graft_train_data_wait_seconds_total", (("rank", "2"),)): 1.25,
        ("graft_train_metric", (("name", "accuracy"), ("split", "validation"))): 0.91,
        ("graft_train_metric", (("name", "macro_f1"), ("split", "test"))): 0.88,
    }


def test_durations_of_steps_are_a_histogram_of_this_process() -> None:
    name = "graft_train_step_duration_seconds"
    found = samples(REPORT)
    counts = {
        dict(labels)["le"]: value for (n, labels), value in found.items() if n == f"{name}_bucket"
    }
    assert list(counts.values()) == [0, 0, 0, 5, 5, 8, 8, 8, 8, 8, 8, 8, 8, 9]
    assert (counts["0.05"], counts["0.1"], counts["0.5"], counts["+Inf"]) == (0, 5, 8, 9)
    assert found[(f"{name}_count", (("rank", "2"),))] == 9
    assert found[(f"{name}_sum", (("rank", "2"),))] == 130.5


def test_families_have_types_and_help() -> None:
    families = list(text_string_to_metric_families(exposition(REPORT).decode()))
    types = {family.name: family.type for family in families}
    counters = {name for name, kind in types.items() if kind == "counter"}
    assert counters == {
        "graft_train_tokens",
        "graft_train_samples",
        "graft_train_nonfinite",
        "graft_train_data_wait_seconds",
    }
    others = {kind for name, kind in types.items() if name not in counters}
    assert others == {"gauge", "histogram"}
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
        "graft_train_nonfinite_total",
        "graft_train_time_seconds",
        "graft_train_data_wait_seconds_total",
        *(f"graft_train_step_duration_seconds_{part}" for part in ("bucket", "count", "sum")),
    }


def test_a_loss_that_is_no_number_is_shown_as_such() -> None:
    report = ProgressReport(job_uid="u", attempt=1, state="Training", loss=math.nan)
    assert math.isnan(samples(report)[("graft_train_loss", ())])

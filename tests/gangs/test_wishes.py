"""Pause, resume and another size, by the means of kubectl."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.namespaces import Namespace
from tests.gangs.jobs import apply, small

LONG = {"duration": {"epochs": 40}}
EPOCHS, ROWS = 40, 240  # of the shipped reviews
TOLD = 40  # steps between two that every run reports
EVALUATE = {"every": {"steps": TOLD}}


def test_a_pause_saves_a_checkpoint_and_a_resumed_job_loses_no_step(space: Namespace, store: Path):
    applied = apply(space, small("paused", training=LONG))
    applied.step(40)
    applied.patch(run={"suspend": True})
    status = applied.until(lambda s: s.get("phase") == "Suspended", "the pause")
    saved = status["checkpoint"]["step"]
    assert saved >= 40
    assert not [p for p in applied.pods() if p["status"]["phase"] == "Running"]
    applied.patch(run={"suspend": False})
    applied.step(saved, attempt=2)
    done = applied.phase("Complete")
    assert done["attempt"] == 2
    assert not done.get("restarts")


def test_kubectl_scale_grows_and_shrinks_an_elastic_gang(space: Namespace, store: Path):
    training = {"duration": {"epochs": EPOCHS}, "precision": "fp32", "evaluate": EVALUATE}
    calm = apply(space, small("calm", training=training))
    workers = {"min": 1, "max": 3, "desired": 1}
    applied = apply(space, small("sized", workers=workers, training=training))
    applied.step(20)
    for size in (3, 2):
        space.kubectl("scale", "transfer/sized", f"--replicas={size}")
        applied.until(
            lambda s, size=size: (s.get("workers") or {}).get("world") == size, f"{size} workers"
        )
    done = applied.phase("Complete")
    assert done["attempt"] == 1
    total = done["progress"]["totalSteps"]
    assert done["progress"]["step"] == total == calm.phase("Complete")["progress"]["totalSteps"]
    reports, lone = applied.reports(store), calm.reports(store)
    # Every row once an epoch: none was left out, none came twice, and the order was the same.
    assert reports[-1]["samples"] == lone[-1]["samples"] == EPOCHS * ROWS
    assert reports[-1]["tokens"] == lone[-1]["tokens"]
    found, expected = applied.losses(store), calm.losses(store)
    assert max(found) == max(expected) == total
    common = found.keys() & expected.keys()
    assert len(common) >= total // TOLD
    for step in common:
        assert found[step] == pytest.approx(expected[step], abs=1e-4)

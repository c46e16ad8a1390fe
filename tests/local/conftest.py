from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

import pytest

from graft_api.plan import Budget, Gang, Plan, Resources, Stage
from graft_worker.local.runner import Site

# What every stage program of these tests begins with: the files of the contract with workers.
PRELUDE = """\
import json, os, signal, sys, time
from pathlib import Path
from graft_api.progress import ProgressReport, Termination
from graft_worker.report.files import replace

folder = Path(os.environ["GRAFT_JOB_DIR"])

def report(step, **more):
    uid, attempt = os.environ["GRAFT_JOB_UID"], int(os.environ["GRAFT_ATTEMPT"])
    told = dict(job_uid=uid, attempt=attempt, state="Training", total_steps=10)
    value = ProgressReport(step=step, **told, **more)
    replace(folder / "progress.json", value.to_json())

def words(**more):
    replace(Path(os.environ["GRAFT_TERMINATION_FILE"]), Termination(**more).to_json())

def finish():
    made = dict(artefact_uri="file:///artefact", artefact_digest="sha256:00", artefact_bytes=7)
    words(state="Complete", **made)
    replace(folder / "result.json", "{}")

def until_asked():
    stop = Path(os.environ["GRAFT_STOP_FILE"])
    while not stop.exists():
        time.sleep(0.01)
"""

RESOURCES = Resources(cpu="1", memory="1Gi")
BUDGET = Budget(restarts=3, window_seconds=3600, start_seconds=60, active_seconds=60)


def stage(name: Literal["prepare", "train"], body: str, **more: Any) -> Stage:
    argv = ("python", "-c", PRELUDE + dedent(body))
    made = Stage(name=name, argv=argv, gang=Gang(), resources=RESOURCES, budget=BUDGET)
    return replace(made, **more)


@pytest.fixture(scope="session")
def make_stage() -> Callable[..., Stage]:
    return stage


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    """A Plan named `reviews` from the bodies of its stages, or from stages."""

    def make(
        *, prepare: str | Stage = "", train: str | Stage = "", job: dict[str, Any] | None = None
    ) -> Plan:
        wanted = {"prepare": prepare, "train": train}
        made = (
            s if isinstance(s, Stage) else stage(n, s)  # type: ignore[arg-type]  # the two names above
            for n, s in wanted.items()
            if s
        )
        content = job or {"metadata": {"name": "reviews"}, "spec": {"training": {"seed": 1}}}
        return Plan(kind="TransferJob", name="reviews", stages=tuple(made), job=json.dumps(content))

    return make


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(
        store=tmp_path / "store",
        environ=os.environ,
        clock=lambda: datetime.now(UTC),
        grace_seconds=60,
    )

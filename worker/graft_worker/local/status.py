"""The status of a local run, made when it ends and kept in the job's folder for the next."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from graft_api.plan import Plan
from graft_api.progress import ProgressReport, Termination
from graft_api.status import LocalRun, local_status
from graft_api.vocabulary import StoreFile
from graft_worker.data.prepared import Prepared

from .store import write

FILE = "status.json"


def status(
    plan: Plan,
    termination: Termination,
    *,
    progress: ProgressReport | None,
    run: LocalRun,
    now: datetime,
) -> dict[str, Any]:
    """The status as plain data, in the shape of a TransferJob's in a cluster."""
    made = local_status(plan, progress=progress, termination=termination, run=run, now=now)
    return made.model_dump(mode="json", by_alias=True, exclude_none=True)


def facts(folder: Path, *, stage: str, attempt: int, started: datetime) -> LocalRun:
    """What this machine knows of a run whose last stage was `stage`."""
    prepared = _prepared(folder) if stage != "prepare" else None
    return LocalRun(
        stage=stage,
        attempt=attempt,
        started=started,
        model_digest=prepared.model_digest if prepared else "",
        dataset=prepared.dataset() if prepared else None,
    )


def keep(folder: Path, status: dict[str, Any]) -> None:
    """The folder holds the status afterwards."""
    write(folder / FILE, json.dumps(status, indent=1, ensure_ascii=False))


def kept(folder: Path) -> dict[str, Any] | None:
    """The status that `keep` wrote; None where it wrote none of a complete job."""
    try:
        found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if found.get("phase") == "Complete" else None


def _prepared(folder: Path) -> Prepared | None:
    try:
        return Prepared.read(folder / StoreFile.PREPARED)
    except (OSError, ValueError, TypeError, KeyError):
        return None

"""C12: what a request costs beside the model: an engine that computes nothing, 16 clients.

`ours` is as much as FastAPI does here: read, check, write. `ours-whole` is all of `graft serve`:
it tokenises, queues, batches, minds deadlines and clients that leave, and measures, besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import outcome
from benchmarks.serving import rounds, texts
from benchmarks.serving.cores import Cores, on
from benchmarks.serving.model import Made
from benchmarks.serving.rounds import Told
from benchmarks.serving.servers import Kind, null_graft, peer, standing
from benchmarks.settings import Settings

CLIENTS, EACH = 16, 200


def run(row: str, made: Made, settings: Settings) -> Mapping[str, Any]:
    """The result of the row, by the server's processor time: the clients take longer than it."""
    asked = texts.mixed(made.workload, settings.data, CLIENTS * EACH)
    cores, logs = Cores.here(), Path(made.workload.folder)
    beside = kinds(made)
    with standing(beside, core=cores.server, logs=logs) as servers, on(cores.client):
        told = rounds.run(servers, asked, crowd=CLIENTS, rounds=settings.rounds)
    only = outcome.Race(
        clock="cpu",
        threads=1,
        rounds=told.laps(),
        unit="requests",
        ceiling_unit="requests",
        useful=1,
    )
    title = "a request without a model's work"
    return outcome.row(row, title, races=(only,), evidence=_evidence(told), settings=settings)


def kinds(made: Made) -> Mapping[str, Kind]:
    """The servers beside each other."""
    bare = ("-m", "benchmarks.serving.bare_server", "{port}")
    return {
        "ours": null_graft(made.artefact, "--http"),
        "ours-whole": null_graft(made.artefact),
        "default": peer("null_default"),
        "tuned": peer("null_tuned"),
        "ceiling": replace(peer("null_default"), words=bare),
    }


def _evidence(told: Told) -> outcome.Evidence:
    costs = {
        name: round(1e6 * sum(lap.cpu for lap in laps) / sum(lap.units["requests"] for lap in laps))
        for name, laps in told.laps().items()
    }
    details = {"microseconds": costs, "clients": CLIENTS}
    return outcome.Evidence(faults=tuple(told.lost_faults()), details=details)

"""C11: a server on one core asked by 32 clients, against FastAPI with sentence-transformers.

All answer with the same vector of the same texts: what the classifier's head reads, of length 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import outcome, race
from benchmarks.laps import total
from benchmarks.serving import figures, rounds, texts
from benchmarks.serving.cores import Cores, on
from benchmarks.serving.model import Made
from benchmarks.serving.rounds import Told
from benchmarks.serving.servers import Kind, graft, peer, standing
from benchmarks.settings import Settings

CLIENTS, EACH = 32, 12  # requests that each client sends one after the other in a round
COMPARED = 64  # texts whose vectors are compared
GEMMS = 4  # laps of the ceiling in a round
QUICK = ("ours", "default", "tuned")


def run(row: str, made: Made, settings: Settings) -> Mapping[str, Any]:
    """The result of the row."""
    asked = texts.mixed(made.workload, settings.data, CLIENTS * EACH)
    cores, logs = Cores.here(), Path(made.workload.folder)
    beside = {n: k for n, k in kinds(made).items() if n in QUICK or not settings.quick}
    with ExitStack() as stack:
        servers = stack.enter_context(standing(beside, core=cores.server, logs=logs))
        found = {each.name: [each.vector(text) for text in asked[:COMPARED]] for each in servers}
        ceiling = stack.enter_context(_gemms(made, cores, logs))
        stack.enter_context(on(cores.client))
        told = rounds.run(
            servers,
            asked,
            crowd=CLIENTS,
            rounds=settings.rounds,
            ceiling=lambda: total(ceiling.laps(GEMMS)),
        )
    races = tuple(
        outcome.Race(
            clock=clock,
            threads=1,
            rounds=told.laps(),
            unit="requests",
            ceiling_unit="flops",
            useful=texts.flops(made.workload, asked),
        )
        for clock in settings.clocks
    )
    evidence = _evidence(told, figures.cosines(found, to="default"), made)
    title = f"answering {CLIENTS} clients on one core"
    return outcome.row(row, title, races=races, evidence=evidence, settings=settings)


def kinds(made: Made) -> Mapping[str, Kind]:
    """The servers beside each other. `ours` chooses its number format itself."""
    told = {
        "GRAFT_PEER_MODEL": str(made.artefact),
        "GRAFT_PEER_LENGTH": str(made.workload.recipe.max_length),
        "GRAFT_PEER_DTYPE": made.dtype,
    }
    return {
        "ours": graft(made.artefact),
        "ours-fp32": graft(made.artefact, "--precision", "fp32"),
        f"ours-onnx-{made.precision}": graft(made.graph),
        "default": peer("fastapi_default", **told),
        "tuned": peer("fastapi_tuned", **told, GRAFT_PEER_BATCH="32"),
        "tuned-small-batches": peer("fastapi_tuned", **told, GRAFT_PEER_BATCH="8"),
    }


@contextmanager
def _gemms(made: Made, cores: Cores, logs: Path) -> Iterator[race.Runner]:
    """A matrix product in the faster format, on the servers' core."""
    with race.Stable(logs) as stable:
        with on(cores.server):
            runner = stable.runner("ceiling", threads=1)
        runner.start("benchmarks.ceiling:gemm", {"threads": 1, "dtype": made.dtype})
        runner.laps(GEMMS)
        yield runner
        runner.stop()


def _evidence(told: Told, cosines: Mapping[str, float], made: Made) -> outcome.Evidence:
    p99 = told.percentiles(0.99)
    faults = (
        *told.lost_faults(),
        *figures.unlike_faults(cosines, excused=["ours-onnx-int8"]),
        *figures.late_faults(p99),
    )
    return outcome.Evidence(
        faults=faults,
        details={
            "latency": {"p50": told.percentiles(0.5), "p99": p99},
            "cosine": {name: round(value, 5) for name, value in cosines.items()},
            "exported": made.facts,
            "clients": CLIENTS,
        },
    )

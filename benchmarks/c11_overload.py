"""C11-overload: ten times as many requests as a server can answer, on one core, for a while.

Nobody races: the row says what of the best rate is left, how late accepted answers come, how soon
refusals, and whether memory grows.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import outcome
from benchmarks.serving import clients, figures, open_loop, texts
from benchmarks.serving.clients import Load
from benchmarks.serving.cores import Cores, on
from benchmarks.serving.model import Made
from benchmarks.serving.servers import Server, graft, standing
from benchmarks.settings import Settings

CLIENTS, EACH = 32, 24
TIMES = 10
TIMEOUT = 1.0  # seconds, the server's own default: later than that nothing is accepted
SECONDS, QUICK = 20.0, 2.0
KEPT = 0.9  # of the best rate that has to be left
SLACK = 0.25  # seconds that an answer may take from the server's clock to the client's
GROWTH = 64 << 20  # bytes


def run(row: str, made: Made, settings: Settings) -> Mapping[str, Any]:
    """The result of the row."""
    cores, logs = Cores.here(), Path(made.workload.folder)
    asked = texts.mixed(made.workload, settings.data, CLIENTS * EACH)
    short = ("--max-queue", "8") if settings.quick else ()  # tiny models outrun their clients
    kind = graft(made.artefact, "--timeout", f"{TIMEOUT:g}", *short)
    _allow_connections()
    with standing({row: kind}, core=cores.server, logs=logs) as (server,), on(cores.client):
        sent = [kind.request(text) for text in asked]
        best = [_peak(server, sent) for _ in range(settings.rounds)]
        before = server.resident()
        load = open_loop.offered(
            server.port,
            sent,
            rate=TIMES * max(best),
            seconds=QUICK if settings.quick else SECONDS,
        )
        grown = server.resident() - before
        after = _peak(server, sent)
    told = _told(load, best=max(best), grown=grown, after=after)
    title = f"{TIMES} times as many requests as one core can answer"
    faults = tuple(_faults(told))
    return outcome.told(row, title, {"alone": told}, faults=faults, settings=settings)


def _allow_connections() -> None:
    """As many open files as the system lets this process and its servers have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _peak(server: Server, sent: Sequence[bytes]) -> float:
    load = clients.closed(server.port, [sent[place::CLIENTS] for place in range(CLIENTS)])
    return len(load.latencies) / load.seconds


def _told(load: Load, *, best: float, grown: int, after: float) -> Mapping[str, Any]:
    return {
        "bestPerSecond": round(best, 1),
        "offeredPerSecond": round(sum(load.codes.values()) / load.seconds, 1),
        "acceptedPerSecond": round(len(load.latencies) / load.seconds, 1),
        "seconds": round(load.seconds, 1),
        "codes": {str(code): count for code, count in sorted(load.codes.items())},
        "acceptedP50": _at(load.latencies, 0.5),
        "acceptedP99": _at(load.latencies, 0.99),
        "refusedP50": _at(load.refused, 0.5),
        "refusedP99": _at(load.refused, 0.99),
        "grownBytes": grown,
        "afterwardsPerSecond": round(after, 1),
    }


def _at(values: Sequence[float], share: float) -> float:
    """Seconds; 0 where there was nothing to wait for."""
    return round(figures.percentile(values, share), 4) if values else 0.0


def _faults(told: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for everything that was promised and not kept."""
    kept = told["acceptedPerSecond"] / told["bestPerSecond"]
    if kept < KEPT:
        yield f"{kept:.0%} of the best rate are left, at least {KEPT:.0%} wanted"
    if told["offeredPerSecond"] < 0.9 * TIMES * told["bestPerSecond"]:
        yield f"the clients offered {told['offeredPerSecond']} a second, less than {TIMES} times"
    if told["acceptedP99"] > TIMEOUT + SLACK:
        yield f"p99 of accepted answers is {told['acceptedP99']} s, the deadline {TIMEOUT} s"
    if told["grownBytes"] > GROWTH:
        yield f"the server grew by {told['grownBytes']:,} bytes"
    if others := set(told["codes"]) - {"200", "503", "504"}:
        yield f"there were answers {', '.join(sorted(others))}"

"""What a fleet's result says, in lines of the published document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Result = Mapping[str, Any]

COLUMNS = (
    "operator",
    "all child Jobs after",
    "CPU time",
    "requests for a job",
    "memory",
    "quiet: writes, CPU",
    "restart: known after, writes",
)


NAMES = ("ours", "default", "tuned")


def line(result: Result) -> str:
    """One line for the terminal."""
    fleet = result["fleet"]
    named = (name for name in (*NAMES, "bare") if name in fleet)
    took = ", ".join(f"{name} {fleet[name]['seconds']} s" for name in named)
    return f"{result['row']} {fleet['jobs']} jobs: {took}"


def behind(result: Result) -> Iterator[str]:
    """The table of a fleet and what stands behind it."""
    fleet = result["fleet"]
    yield f"{fleet['jobs']:,} TransferJobs are created at once on an empty control plane with fake"
    yield "nodes; each operator makes the same NetworkPolicy and batch Job for each. *default* is a"
    yield "plain kopf operator with handlers per object, *tuned* the same, its switches set well."
    yield "The audit log of the API server is the witness of every count."
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{'|'.join('---' for _ in COLUMNS)}|"
    yield from (_row(name, fleet[name]) for name in NAMES if name in fleet)
    yield ""
    if bare := fleet.get("bare"):
        yield f"- A program that only writes the children takes {bare['seconds']} s."
    if lost := fleet["ours"].get("losses"):
        yield _losses(lost)


def _losses(lost: Mapping[str, Any]) -> str:
    reaction, lag = lost["toThePost"], lost["queueLag"]
    return (
        f"- Ours, {lost['children']} child Jobs deleted one by one: from the end of one to the"
        f" POST of the next p50 {reaction['p50']:g} s, p99 {reaction['p99']:g} s; from event to"
        f" reconcile p99 at most {lag['p99']:g} s ({lag['observations']:.0f} reconciles)."
    )


def _row(name: str, course: Mapping[str, Any]) -> str:
    quiet, crash = course["quiet"], course["crash"]
    cells = (
        name,
        f"{course['seconds']} s",
        f"{course['cpuSeconds']} s",
        f"{sum(course['requestsPerJob'].values()):.1f}",
        f"{quiet['residentMiB']:.0f} MiB",
        f"{quiet['writes']} in {quiet['seconds']:.0f} s, {quiet['cpuShare']:.1%}",
        f"{crash['idleSeconds']} s, {crash['writes']}",
    )
    return f"| {' | '.join(cells)} |"

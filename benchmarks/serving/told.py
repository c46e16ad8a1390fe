"""What a server's result says, in lines of the published document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Result = Mapping[str, Any]


def line(result: Result) -> str:
    """One line for the terminal."""
    told = result["alone"]
    return (
        f"{result['row']} best {told['bestPerSecond']:g} a second,"
        f" {told['acceptedPerSecond']:g} of {told['offeredPerSecond']:g} answered"
    )


def overload(told: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a server that was asked too much."""
    offered = told["offeredPerSecond"]
    yield (
        f"- At its best {told['bestPerSecond']:g} requests a second; of {offered:g} offered"
        f" for {told['seconds']:g} s it answered {told['acceptedPerSecond']:g},"
        f" and {told['afterwardsPerSecond']:g} as soon as they came at its pace again."
    )
    yield (
        f"- Accepted: p50 {told['acceptedP50']:g} s, p99 {told['acceptedP99']:g} s;"
        f" refused: p50 {told['refusedP50']:g} s, p99 {told['refusedP99']:g} s."
    )
    codes = ", ".join(f"{code} {count:,}" for code, count in told["codes"].items())
    yield f"- Codes: {codes}. The process grew by {told['grownBytes'] / 2**20:.0f} MiB."


def answers(result: Result) -> Iterator[str]:
    """How late answers came and how like they are, where servers were asked."""
    if latency := result.get("latency"):
        each = (
            f"{name} {1000 * p50:.0f} / {1000 * latency['p99'][name]:.0f}"
            for name, p50 in latency["p50"].items()
        )
        yield f"- Milliseconds to the answer, p50 / p99: {', '.join(each)}."
    if costs := result.get("microseconds"):
        each = (f"{name} {value}" for name, value in costs.items())
        yield f"- Microseconds of the server's processor a request, mean: {', '.join(each)}."
    if cosine := result.get("cosine"):
        each = (f"{name} {value:.5f}" for name, value in cosine.items())
        yield f"- Mean cosine to the vectors of default: {', '.join(each)}."
    if (facts := result.get("exported")) and facts["metric"]:
        yield (
            f"- {facts['metric'].title()} of the exported graph ({facts['precision']})"
            f" {facts['found']:.4f}, in fp32 by torch {facts['fp32']:.4f}."
        )

"""Servers take turns: in each round every server answers the same texts to as many clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.laps import Lap
from benchmarks.serving import clients, figures
from benchmarks.serving.servers import Kind, Server

Ceiling = Callable[[], Lap]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Laps, and what came back, by variant."""

    rounds: dict[str, list[Lap]] = field(default_factory=dict)
    loads: dict[str, list[clients.Load]] = field(default_factory=dict)

    def laps(self) -> Mapping[str, tuple[Lap, ...]]:
        """One a round."""
        return {name: tuple(laps) for name, laps in self.rounds.items()}

    def percentiles(self, share: float) -> Mapping[str, float]:
        """Of the latencies of all rounds, in seconds."""
        pooled = {n: [s for each in of for s in each.latencies] for n, of in self.loads.items()}
        return {name: round(figures.percentile(v, share), 5) for name, v in pooled.items()}

    def lost_faults(self) -> list[str]:
        """A sentence for every variant that did not answer all."""
        lost = {name: sum(len(each.refused) for each in of) for name, of in self.loads.items()}
        return [f"{name} did not answer {count} requests" for name, count in lost.items() if count]


def run(
    servers: Sequence[Server],
    asked: Sequence[str],
    *,
    crowd: int,
    rounds: int,
    ceiling: Ceiling | None = None,
) -> Told:
    """What the servers did, and what the machine does at its best in between."""
    told = Told()
    for server in servers:
        clients.closed(server.port, _dealt(server.kind, asked[: 2 * crowd], crowd))
    for _ in range(rounds):
        for server in servers:
            lap, load = _lap(server, _dealt(server.kind, asked, crowd))
            told.rounds.setdefault(server.name, []).append(lap)
            told.loads.setdefault(server.name, []).append(load)
        if ceiling is not None:
            told.rounds.setdefault("ceiling", []).append(ceiling())
    return told


def _lap(server: Server, sent: Sequence[Sequence[bytes]]) -> tuple[Lap, clients.Load]:
    before = server.cpu()
    load = clients.closed(server.port, sent)
    units = {"requests": len(load.latencies)}
    return Lap(units=units, cpu=server.cpu() - before, wall=load.seconds), load


def _dealt(kind: Kind, asked: Sequence[str], crowd: int) -> list[list[bytes]]:
    """Requests for the texts, dealt to the clients in turn."""
    sent = [kind.request(text) for text in asked]
    return [sent[place::crowd] for place in range(crowd)]

"""The JSON of a row: what was measured, what it amounts to, where and how."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine, verdict
from benchmarks.laps import Clock
from benchmarks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """One race by one clock: laps by variant (`ours`, `default`, `tuned...`, `ceiling`)."""

    clock: Clock
    threads: int
    rounds: verdict.Rounds
    heat: verdict.Rounds = field(default_factory=dict)  # where the tuned variant was chosen
    also: Sequence[str] = ()  # peers beside the two
    unit: str  # texts or tokens: what a rate counts
    ceiling_unit: str  # flops or bytes
    useful: float  # ceiling units that one unit needs at least

    @property
    def tuned(self) -> str:
        """The fastest of the tuned variants."""
        names = [name for name in self.rounds if name.startswith("tuned")]
        return verdict.fastest(names, self.rounds, unit=self.unit, clock=self.clock)

    def ratio(self, peer: str, name: str = "ours") -> Mapping[str, float]:
        """How many times faster that variant of ours is than the peer."""
        theirs, ours = self.rounds[peer], self.rounds[name]
        return _rounded(asdict(verdict.ratio(theirs, ours, unit=self.unit, clock=self.clock)))

    def shares(self) -> Mapping[str, float]:
        """Useful work of the best round over what the machine did at its best, by variant."""
        top = self._rate("ceiling", self.ceiling_unit).min
        racers = {name for name in self.rounds if name != "ceiling"}
        shares = {n: self._rate(n, self.unit).min * self.useful / top for n in sorted(racers)}
        return _rounded(shares)

    def as_json(self) -> Mapping[str, Any]:
        """Everything of the race, the rounds included, so that any other figure can be made."""
        return {
            "threads": self.threads,
            "unit": self.unit,
            "default": self.ratio("default"),
            "tuned": self.ratio(self.tuned),
            "tunedBy": self.tuned,
            "also": {name: self.ratio(name) for name in self.also},
            "alsoOurs": {
                name: {
                    "default": self.ratio("default", name),
                    "tuned": self.ratio(self.tuned, name),
                }
                for name in self.rounds
                if name.startswith("ours-")
            },
            "ceiling": {
                "unit": self.ceiling_unit,
                "rate": self._rate("ceiling", self.ceiling_unit).min,
            },
            "ceilingShare": self.shares(),
            "rates": {
                name: _rounded(asdict(self._rate(name, self.unit)))
                for name in self.rounds
                if name != "ceiling"
            },
            "rounds": _plain(self.rounds),
            "heat": _plain(self.heat),
        }

    def _rate(self, name: str, unit: str) -> verdict.Ratio:
        return verdict.rate(self.rounds[name], unit=unit, clock=self.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows that the variants did the same work, and facts worth keeping beside it."""

    faults: tuple[str, ...] = ()
    details: Mapping[str, Any]


def row(
    name: str, title: str, *, races: Sequence[Race], evidence: Evidence, settings: Settings
) -> Mapping[str, Any]:
    """The content of a result file. The first race's figures stand at the top."""
    faults = [
        *evidence.faults,
        *(fault for race in races for fault in verdict.recompilation_faults(race.rounds)),
    ]
    clocks = {race.clock: race.as_json() for race in races}
    headline = clocks[races[0].clock]
    return {
        "row": name,
        "title": title,
        "clock": races[0].clock,
        **{key: headline[key] for key in ("default", "tuned", "ceilingShare")},
        "void": faults,
        "clocks": clocks,
        **evidence.details,
        **circumstances(settings),
    }


def told(
    name: str,
    title: str,
    content: Mapping[str, Any],
    *,
    faults: Sequence[str],
    settings: Settings,
) -> Mapping[str, Any]:
    """The content of the result file of a row that is no race, under the name of its form."""
    about = {"row": name, "title": title, "void": list(faults)}
    return {**about, **content, **circumstances(settings)}


def circumstances(settings: Settings) -> Mapping[str, Any]:
    """How and where it was measured, which every result file tells."""
    return {
        "quick": settings.quick,
        "roundsPerRace": settings.rounds,
        "seeds": list(settings.seeds),
        "command": settings.command,
        "commit": machine.commit(Path(__file__).parent.parent),
        "versions": machine.versions(),
        "machine": machine.describe(),
        "load": list(machine.load()),
    }


def means(values: Mapping[str, Iterable[float]]) -> Mapping[str, float]:
    """The mean of every list, to four digits."""
    return _rounded({name: statistics.mean(numbers) for name, numbers in values.items()})


def write(result: Mapping[str, Any], folder: Path) -> Path:
    """Writes `<row>.json` as a whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result['row']}.json"
    beside = path.with_name(f".{path.name}.partial")
    beside.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def _plain(rounds: verdict.Rounds) -> dict[str, Any]:
    return {name: [asdict(lap) for lap in laps] for name, laps in rounds.items()}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in values.items()}

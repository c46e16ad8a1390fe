"""Results that are a table of measurements, not a race: each line a case, each column a variant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import outcome
from benchmarks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Numbers by case and variant; None where a variant cannot do the case, said in `notes`."""

    unit: str
    cases: Mapping[str, Mapping[str, float | None]]
    notes: Sequence[str] = ()
    faults: Sequence[str] = ()


def row(name: str, title: str, found: Figures, settings: Settings) -> Mapping[str, Any]:
    """The content of the result file."""
    cases = {case: {n: _rounded(v) for n, v in of.items()} for case, of in found.cases.items()}
    table = {"unit": found.unit, "cases": cases, "notes": list(found.notes)}
    return outcome.told(name, title, {"figures": table}, faults=found.faults, settings=settings)


def line(result: Mapping[str, Any]) -> str:
    """One line for the terminal: every case."""
    table = result["figures"]
    cases = (f"{case}: {_listed(of)}" for case, of in table["cases"].items())
    return f"{result['row']} ({table['unit']}) {'; '.join(cases)}"


def behind(result: Mapping[str, Any]) -> Iterator[str]:
    """The table in Markdown, and what is to be said of it."""
    table = result["figures"]
    names = list(dict.fromkeys(name for of in table["cases"].values() for name in of))
    yield f"In {table['unit']}."
    yield ""
    yield f"| case | {' | '.join(names)} |"
    yield f"|{'---|' * (len(names) + 1)}"
    for case, of in table["cases"].items():
        yield f"| {case} | {' | '.join(_shown(of.get(name)) for name in names)} |"
    yield ""
    yield from (f"- {note}" for note in table["notes"])


def _listed(of: Mapping[str, float | None]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in of.items())


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")

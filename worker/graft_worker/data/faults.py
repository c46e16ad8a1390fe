"""What is wrong with data, row by row, gathered so that a person reads it at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graft_api.errors import DataError

_PLACES = 5  # places shown for each kind of fault
_SHOWN = 20  # faults shown of each run


@dataclass(frozen=True, slots=True)
class Fault:
    """One row at fault: `what` is the kind, the same for all rows of it, `detail` is its own."""

    file: str
    line: int
    what: str
    detail: str = ""

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" + (f": {self.detail}" if self.detail else "")


class DataFaults(DataError):  # noqa: N818  (the parent says that it is an error)
    """Everything that is wrong with the data sets of a job; `faults` are lines for people."""

    def __init__(self, faults: Iterable[str], *, hint: str = "") -> None:
        self.faults = tuple(faults)
        shown = self.faults[:_SHOWN]
        more = len(self.faults) - len(shown)
        lines = [*shown, f"and {more} more"] if more else list(shown)
        super().__init__("\n  ".join(["the data cannot be used:", *lines]), hint=hint)


def refuse(fault: Fault) -> None:
    """Raises the fault as DataError: what readers do with a bad row unless told otherwise."""
    raise DataError(str(fault))


@dataclass(slots=True)
class Tally:
    """How many rows are at fault in one way, and the first five places."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, file: str, line: int, detail: str = "") -> None:
        """Counts one row."""
        self.count += 1
        if len(self.places) < _PLACES:
            self.places.append(f"{file}:{line}" + (f" ({detail})" if detail else ""))

    def __str__(self) -> str:
        rows = "1 row" if self.count == 1 else f"{self.count:,} rows"
        first = "at" if self.count <= len(self.places) else "first at"
        return f"{rows}, {first} {', '.join(self.places)}"


@dataclass(slots=True)
class Findings:
    """Faults of one split while it is read: rows by kind, and files that cannot be read on."""

    rows: dict[str, Tally] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def report(self, fault: Fault) -> None:
        """Counts a bad row; given to readers as their `report`."""
        self.rows.setdefault(fault.what, Tally()).add(fault.file, fault.line, fault.detail)

    def __bool__(self) -> bool:
        return bool(self.rows or self.files)

    def lines(self, split: str) -> list[str]:
        """One line per kind of fault, beginning with the split's name."""
        return [f"{split}: {text}" for text in self.files] + [
            f"{split}: {what}: {tally}" for what, tally in self.rows.items()
        ]

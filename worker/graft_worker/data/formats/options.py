"""What every reader of a format is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from graft_worker.data.faults import Fault, refuse
from graft_worker.data.rows import Row
from graft_worker.data.schema import Field
from graft_worker.data.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a file is read. `report` is given each bad row; by default it raises DataError."""

    schema: tuple[Field, ...] = ()  # columns of a file without header
    numbered: bool = False  # no header either, columns are called 0, 1, ...
    report: Callable[[Fault], None] = refuse


Read = Callable[[Source, Options], Iterator[Row]]

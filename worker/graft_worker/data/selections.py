"""What a split reads: files, their format, the columns of roles, and the share of rows it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from graft_worker.data.order import order
from graft_worker.data.rows import Role

if TYPE_CHECKING:
    from graft_api.data import Data, Dataset

_HELD_BACK = 0x51DE  # the place of the "epoch" in the order that draws the held-back rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One side of a data set that is cut in two: `fraction` of its rows are held back."""

    fraction: float
    seed: int
    side: Literal["train", "validation"]

    def held_back(self, rows: int) -> int:
        """How many of so many rows are held back: the nearest number that leaves both sides one."""
        return max(min(round(rows * self.fraction), rows - 1), min(1, rows))

    def takes(self, numbers: NDArray[np.int64], rows: int) -> NDArray[np.bool_]:
        """Which of the row numbers (from 0, of `rows`) are on this side.

        A keyed bijection of the row numbers, so that the count is exact and no row needs another.
        """
        held = order(self.seed, _HELD_BACK, numbers, rows) < self.held_back(rows)
        return held if self.side == "validation" else ~held


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One split as the job describes it."""

    uris: tuple[str, ...]
    format: str = "auto"
    columns: tuple[tuple[str, str], ...] = ()  # role -> column, as in data.columns
    schema: str = ""  # `label:str:1,text:str:1`; empty: the files name their columns
    cut: Cut | None = None
    bare: bool = False  # rows have no target, or none that is read

    def read(self, roles: Sequence[Role]) -> tuple[Role, ...]:
        """Those of an app's roles that are read."""
        return tuple(role for role in roles if not (self.bare and role.kind == "target"))


def select(dataset: Dataset, *, cut: Cut | None = None, bare: bool = False) -> Selection:
    """The selection of one data set of a job."""
    return Selection(
        bare=bare,
        uris=tuple(dataset.uris or ()) or (dataset.uri or "",),
        format=dataset.format,
        columns=tuple(dataset.columns.items()),
        schema=dataset.schema_ or "",
        cut=cut,
    )


def selections(data: Data, *, seed: int) -> dict[str, Selection]:
    """The splits of a job by name: train, and where given validation, test and unlabelled.

    A validation `fraction` cuts the train files in two; `seed` draws the rows.
    """
    found = {"train": select(data.train)}
    if data.validation is not None and data.validation.fraction is not None:
        share = data.validation.fraction
        for side in ("train", "validation"):
            found[side] = select(data.train, cut=Cut(fraction=share, seed=seed, side=side))
    elif data.validation is not None:
        found["validation"] = select(data.validation)
    if data.test is not None:
        found["test"] = select(data.test)
    if unlabelled := getattr(data, "unlabelled", None):
        found["unlabelled"] = select(unlabelled, bare=True)
    return found

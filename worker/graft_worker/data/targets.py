"""What the target column holds: classes, sets of classes or numbers; and the labels in order."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from graft_worker.data.faults import Findings, Tally
from graft_worker.data.prepared import Problem

_DISTINCT = 10_000  # labels that are kept apart; more are no classes
_SHOWN = 10  # labels shown in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWish:
    """What the app asks of the target; `auto` decides by the values of the train split."""

    problem: Literal["auto", "single_label", "multi_label", "regression"] = "auto"
    labels: tuple[str, ...] = ()  # in the order of the model's outputs; empty: read from the data
    separator: str = ","  # between the labels of one text cell, multi_label only
    giver: str = ""  # the field that gave the labels, for messages; empty: app or data


@dataclass(slots=True)
class Survey:
    """What the target cells of one split are, gathered row by row in bounded memory."""

    rows: int = 0
    lists: int = 0  # cells that are lists
    numbers: int = 0  # scalar cells that are finite numbers
    fractions: int = 0  # of these, the ones that are not whole
    labels: dict[str, Tally] = field(default_factory=dict)  # of scalar cells and list items
    missing: Tally = field(default_factory=Tally)
    scalars: Tally = field(default_factory=Tally)  # cells that are no list
    no_numbers: Tally = field(default_factory=Tally)
    nan: Tally = field(default_factory=Tally)
    nested: Tally = field(default_factory=Tally)
    overflow: bool = False  # more different labels than are kept

    def add(self, cell: Any, *, file: str, line: int, wish: TargetWish) -> None:
        """Takes one target cell into account."""
        self.rows += 1
        items = as_list(cell, separator=wish.separator if wish.problem == "multi_label" else "")
        if items is not None:
            self.lists += 1
            for item in items:
                self._label(item, file, line)
        elif cell is None or (isinstance(cell, str) and not cell.strip()):
            self.missing.add(file, line)
        else:
            self._scalar(cell, file, line)

    def _scalar(self, cell: Any, file: str, line: int) -> None:
        self.scalars.add(file, line, label_of(cell)[:40])
        number = as_number(cell)
        if number is None:
            self.no_numbers.add(file, line, label_of(cell)[:40])
        elif not math.isfinite(number):
            self.nan.add(file, line, label_of(cell)[:40])
            if isinstance(cell, float):
                return
        else:
            self.numbers += 1
            self.fractions += number != int(number)
        self._label(cell, file, line)

    def _label(self, item: Any, file: str, line: int) -> None:
        if isinstance(item, dict | list) or item is None:
            self.nested.add(file, line, type(item).__name__)
            return
        label = label_of(item)
        if label in self.labels or len(self.labels) < _DISTINCT:
            self.labels.setdefault(label, Tally()).add(file, line)
        else:
            self.overflow = True

    def problem(self, wish: TargetWish) -> Problem:
        """The problem wished for, or the one that the cells show."""
        if wish.problem != "auto":
            return wish.problem
        if self.lists:
            return "multi_label"
        filled = self.rows - self.missing.count
        every = filled > 0 and self.numbers + self.nan.count == filled
        return "regression" if every and self.fractions and not wish.labels else "single_label"

    def ordered(self, wish: TargetWish) -> tuple[str, ...]:
        """The labels given, else those found: numbers by value, then the rest by their text."""
        return wish.labels or tuple(sorted(self.labels, key=_by_value))

    def histogram(self) -> dict[str, int]:
        """How often each label occurs."""
        return {label: tally.count for label, tally in self.labels.items()}


def judge(
    survey: Survey, problem: Problem, labels: Sequence[str], *, column: str, giver: str = ""
) -> Findings:
    """What is wrong with the targets of a split, given the problem and the labels of train.

    `giver` is the field that gave the labels, where it was not the app or the data.
    """
    found = Findings()
    wrong = found.rows
    if survey.missing.count and problem != "multi_label":
        wrong[f"{column}: empty"] = survey.missing
    if problem == "regression":
        if survey.no_numbers.count:
            wrong[f"{column}: not a number"] = survey.no_numbers
        if survey.nan.count:
            wrong[f"{column}: not a finite number"] = survey.nan
        if survey.lists:
            found.files.append(f"{column}: {survey.lists:,} rows hold a list, a number is expected")
        return found
    if survey.nested.count:
        wrong[f"{column}: a label is a text or a number"] = survey.nested
    if problem == "multi_label" and survey.scalars.count:
        wrong[f"{column}: a list of labels is expected"] = survey.scalars
    if problem == "single_label" and survey.lists:
        found.files.append(f"{column}: {survey.lists:,} rows hold a list, one label is expected")
    if problem == "single_label" and survey.nan.count and "nan" not in (x.lower() for x in labels):
        wrong[f"{column}: NaN is no label"] = survey.nan
    _unknown(survey, labels, column, found, giver=giver)
    return found


def judge_train(survey: Survey, problem: Problem, *, column: str) -> list[str]:
    """What makes the train split unfit for classification."""
    if problem == "regression":
        return []
    if survey.overflow:
        return [f"{column}: more than {_DISTINCT:,} different labels: not a column of classes"]
    if not survey.labels:
        return [f"{column}: no label in any row"]
    if problem == "single_label" and len(survey.labels) == 1:
        only = next(iter(survey.labels))
        return [f"{column}: every row has the label {only!r}; a classifier needs two or more"]
    return []


def _unknown(
    survey: Survey, labels: Sequence[str], column: str, found: Findings, *, giver: str
) -> None:
    known, whose = set(labels), f" of {giver}" if giver else ""
    if not known:  # train is at fault itself
        return
    for label, tally in survey.labels.items():
        if label not in known and not (label.lower() == "nan" and survey.nan.count):
            what = f"{column}: unknown label {label!r}, the labels{whose} are {listed(labels)}"
            found.rows[what] = tally


def listed(labels: Iterable[str]) -> str:
    """Labels for a message, ten at most."""
    names = list(labels)
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def as_list(cell: Any, *, separator: str = "") -> list[Any] | None:
    """The items of a cell that is a list: from JSON, written as JSON, or parts by the separator.

    None where the cell is a scalar.
    """
    if isinstance(cell, list | tuple):
        return list(cell)
    if isinstance(cell, str):
        text = cell.strip()
        if text.startswith("[") and text.endswith("]"):
            try:
                return list(json.loads(text))
            except ValueError:
                pass
        if separator:
            return [part.strip() for part in text.split(separator) if part.strip()]
    return None


def as_number(cell: Any) -> float | None:
    """The cell as a number, also `nan` and `inf`; None where it is none."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    if isinstance(cell, str) and "_" in cell:
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None


def label_of(item: Any) -> str:
    """The name of a label: texts without outer space, true and false as JSON has them, 3.0 as 3."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, float) and item.is_integer():
        return str(int(item))
    return item.strip() if isinstance(item, str) else str(item)


def value_of(cell: Any, problem: Problem, *, separator: str = ",") -> str | float | tuple[str, ...]:
    """The target as an app's Encode takes it: a label, a tuple of labels, or a number.

    Raises:
        ValueError: the cell does not fit the problem; `inspect` finds these before.
    """
    if problem == "regression":
        number = as_number(cell)
        if number is None or not math.isfinite(number):
            raise ValueError(f"{label_of(cell)!r} is not a finite number")
        return number
    if problem == "multi_label":
        return tuple(label_of(item) for item in as_list(cell, separator=separator) or ())
    return label_of(cell)


def _by_value(label: str) -> tuple[int, float, str]:
    number = as_number(label)
    if number is None or not math.isfinite(number):
        return 1, 0.0, label
    return 0, number, label

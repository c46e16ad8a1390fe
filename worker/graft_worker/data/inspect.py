"""What can be known of a job's data sets before training, and all their faults at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from graft_api.errors import DataError
from graft_worker.data import columns, reading, targets
from graft_worker.data.digests import Digests
from graft_worker.data.faults import DataFaults, Fault, Findings, Tally
from graft_worker.data.lines import Report
from graft_worker.data.prepared import Problem
from graft_worker.data.rows import Role, Row
from graft_worker.data.selections import Selection
from graft_worker.data.targets import Survey, TargetWish

_IMBALANCE = 100  # times the rarest label that the commonest may have
_DUPLICATES = 0.01  # share of repeated rows that is worth a warning
_FAULTS = 10_000  # bad rows after which a split is read no further


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReport:
    """What one split holds."""

    rows: int
    labels: tuple[tuple[str, int], ...]  # in the model's order, with their number; () for numbers
    empty: int  # rows in which every text is empty or space
    duplicates: int  # rows whose texts stand in an earlier row
    overlap: int  # rows whose texts stand in train; 0 for train itself
    longest: int  # characters of the longest text
    columns: tuple[tuple[str, str], ...]  # role -> column
    unused: tuple[str, ...]  # columns that play no role


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The data sets of a job are sound; what they are for."""

    problem: Problem
    labels: tuple[str, ...]  # () for regression
    roles: tuple[Role, ...]
    columns: Mapping[str, str]  # role -> column of the train files
    splits: Mapping[str, SplitReport]
    wish: TargetWish
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Pass:
    """One split while it is read."""

    survey: Survey = field(default_factory=Survey)
    findings: Findings = field(default_factory=Findings)
    digests: Digests = field(default_factory=Digests)
    empty: Tally = field(default_factory=Tally)
    longest: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    target: str = ""  # column of the target
    unused: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return self.digests.rows


def inspect(
    selections: Mapping[str, Selection], roles: Sequence[Role], *, wish: TargetWish
) -> Inspection:
    """Reads every split once and says what it holds; labels and problem are those of `train`.

    Memory does not grow with the rows; many take 8 bytes each of the folder for temporary files.
    A split that is a share of another is read twice.

    Raises:
        DataError: everything that is wrong with any split, one line each, with file:line.
        StoreError: that folder cannot be written.
    """
    with ExitStack() as files:
        passes = {name: _Pass() for name in selections}
        for name, part in selections.items():
            files.callback(passes[name].digests.close)
            _read(passes[name], part, part.read(roles), wish)
        return _judged(passes, roles, wish)


def _judged(passes: Mapping[str, _Pass], roles: Sequence[Role], wish: TargetWish) -> Inspection:
    train = passes["train"]
    problem = train.survey.problem(wish)
    labels = () if problem == "regression" else train.survey.ordered(wish)
    sound = labels if wish.labels or not train.findings else ()
    judged = partial(_faults, problem=problem, labels=sound, giver=wish.giver)
    lines = [line for name in passes for line in judged(name, passes[name])]
    if lines:
        raise DataFaults(lines)
    reports = {name: _report(part, labels, train) for name, part in passes.items()}
    warnings = [w for name in passes for w in _warnings(name, passes[name], reports[name], labels)]
    return Inspection(
        problem=problem,
        labels=labels,
        roles=tuple(roles),
        columns=dict(train.columns),
        splits=reports,
        wish=wish,
        warnings=tuple(warnings),
    )


class _Enough(Exception):  # noqa: N818  (ends the reading of one split)
    """So many bad rows that reading on tells nobody more."""


def _read(found: _Pass, selection: Selection, roles: Sequence[Role], wish: TargetWish) -> None:
    target = next((role.name for role in roles if role.kind == "target"), "")
    bad = 0

    def report(fault: Fault) -> None:
        nonlocal bad
        bad += 1
        found.findings.report(fault)
        if bad >= _FAULTS:
            raise _Enough

    try:
        for row, raw in reading.taken(selection, roles, report=report):
            if not found.rows:
                _note_columns(found, row, raw, roles, selection)
            _text(found, row, [role.name for role in roles if role.kind == "text"], report)
            if target:
                cell = row.values[target]
                found.survey.add(cell, file=row.file, line=row.line, wish=wish)
    except _Enough:
        found.findings.files.append(f"more than {_FAULTS:,} bad rows, the rest is not read")
    except DataError as error:
        found.findings.files.append(error.message + (f" ({error.hint})" if error.hint else ""))
    if not found.rows and not found.findings:
        found.findings.files.append(f"{', '.join(selection.uris)}: {_why_empty(selection)}")


def _why_empty(selection: Selection) -> str:
    if selection.cut:
        return f"too few rows to hold back a share of {selection.cut.fraction}"
    return "no rows: the file is empty, or holds a header only"


def _note_columns(
    found: _Pass, row: Row, raw: Row, roles: Sequence[Role], selection: Selection
) -> None:
    found.columns = columns.resolve(list(raw.values), roles, dict(selection.columns), file=row.file)
    found.target = next((found.columns[r.name] for r in roles if r.kind == "target"), "")
    found.unused = tuple(n for n in raw.values if n not in found.columns.values())


def _text(found: _Pass, row: Row, names: Sequence[str], report: Report) -> None:
    texts = [row.values[name] for name in names]
    try:
        data = "\x1f".join(texts).encode("utf-8")
    except UnicodeEncodeError as error:
        what = "half a surrogate pair: no character"
        report(Fault(row.file, row.line, what, f"\\u{ord(error.object[error.start]):04x}"))
        data = b""
    found.digests.add(data)
    found.longest = max(found.longest, *map(len, texts), 0)
    if not any(text and not text.isspace() for text in texts):
        found.empty.add(row.file, row.line)


def _faults(
    name: str, found: _Pass, *, problem: Problem, labels: Sequence[str], giver: str
) -> list[str]:
    lines = found.findings.lines(name)
    if found.rows and found.empty.count == found.rows:
        lines.append(f"{name}: every text is empty")
    if not found.survey.rows:
        return lines
    column, survey = found.target, found.survey
    judged = targets.judge(survey, problem, labels, column=column, giver=giver)
    lines += judged.lines(name)
    # Rows that are at fault may hold the labels that seem to be missing.
    whole = name == "train" and not lines
    train = targets.judge_train(survey, problem, column=column) if whole else []
    return lines + [f"{name}: {text}" for text in train]


def _report(found: _Pass, labels: Sequence[str], train: _Pass) -> SplitReport:
    counts = found.survey.histogram()
    return SplitReport(
        rows=found.rows,
        labels=tuple((label, counts.get(label, 0)) for label in labels),
        empty=found.empty.count,
        duplicates=found.digests.repeated(),
        overlap=0 if found is train else found.digests.found_in(train.digests),
        longest=found.longest,
        columns=tuple(found.columns.items()),
        unused=found.unused,
    )


def _warnings(name: str, found: _Pass, report: SplitReport, labels: Sequence[str]) -> list[str]:
    lines = []
    if found.empty.count:
        lines.append(f"{name}: empty text: {found.empty}")
    if report.duplicates > _DUPLICATES * report.rows:
        lines.append(f"{name}: {report.duplicates:,} of {report.rows:,} rows repeat an earlier one")
    if report.overlap:
        lines.append(f"{name}: {report.overlap:,} of {report.rows:,} rows stand in train as well")
    if name == "train" and labels:
        lines += _balance(report)
    return lines


def _balance(report: SplitReport) -> list[str]:
    counts = sorted((count, label) for label, count in report.labels)
    unseen = [label for count, label in counts if not count]
    lines = [f"train: labels without a row: {targets.listed(unseen)}"] if unseen else []
    seen = [pair for pair in counts if pair[0]]
    (least, rare), (most, common) = seen[0], seen[-1]
    if most > _IMBALANCE * least:
        lines.append(f"train: imbalance: {most:,} rows of {common}, {least:,} of {rare}")
    return lines


def describe(inspection: Inspection) -> tuple[str, ...]:
    """The inspection as lines of text for a terminal."""
    kind = {"single_label": "one label", "multi_label": "sets of labels", "regression": "a number"}
    lines = []
    if any(role.kind == "target" for role in inspection.roles):
        lines.append(f"target: {kind[inspection.problem]} per row")
    if inspection.labels:
        lines[0] += f", {len(inspection.labels)} labels: {targets.listed(inspection.labels)}"
    for name, report in inspection.splits.items():
        lines.append(_line(name, report))
        if any(count for _, count in report.labels):
            shares = (f"{label} {count:,}" for label, count in report.labels)
            lines.append(f"  labels: {targets.listed(shares)}")
        lines.append(f"  columns: {', '.join(f'{r} = {c}' for r, c in report.columns)}")
        if report.unused:
            lines.append(f"  not used: {targets.listed(report.unused)}")
    return (*lines, *(f"warning: {text}" for text in inspection.warnings))


def _line(name: str, report: SplitReport) -> str:
    return (
        f"{name}: {report.rows:,} rows, longest text {report.longest:,} characters, "
        f"{report.empty:,} empty, {report.duplicates:,} repeated, {report.overlap:,} also in train"
    )

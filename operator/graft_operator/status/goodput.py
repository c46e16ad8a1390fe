"""Where the time of a job went: each second since its creation in one part, none in two.

Waits are taken from the clock, at the turns from one part to another; what happens while a gang
trains is told by its workers, who sum it up over all attempts. The rest is `otherSeconds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from graft_api.localconditions import timestamp
from graft_api.progress import ProgressReport, spent

Object = dict[str, Any]
Status = Mapping[str, Any]

ENDED = ("Complete", "Failed")
WAITS = ("queued", "preparing", "starting", "restarting", "suspended")
TOLD = ("productive", "lost", "evaluating", "saving")
REFORMING = "reformingSeconds"  # what the workers call restarting; a share of restartingSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the workers say of their time, in seconds by part."""

    spent: Mapping[str, float] = field(default_factory=dict)
    began: datetime | None = None  # the first step of the process that reports
    until: datetime | None = None  # when it reported

    @classmethod
    def of(cls, report: ProgressReport | None, last: Mapping[str, float]) -> Told:
        """From a report of the attempt that is due, or from the last words of a training."""
        if last or report is None:
            return cls(spent=last)
        return cls(spent=spent(report), began=_moment(report.began), until=_moment(report.time))

    @property
    def trained(self) -> float:
        """Seconds while a gang trained, its own restarts included."""
        return sum(self.spent.get(part, 0.0) for part in (*TOLD, "restarting"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When the job was made, when the gang was lost if it was, and when this is."""

    created: datetime
    now: datetime
    lost: datetime | None = None


def counted(old: Status, new: Status, told: Told, at: Moments) -> Object:
    """The block of status, from what stood there before and what stands there now."""
    block: Object = dict(old.get("goodput") or {})
    before, after = doing(old), doing(new)
    turned = before != after or "countedTime" not in block
    if turned:
        since = _since(old, at)
        turn = _second(min(max(_turn(before, after, block, told, at), since), at.now))
        if before in WAITS:
            _add(block, f"{before}Seconds", (turn - since).total_seconds())
        block["countedTime"] = timestamp(turn)
    if told.spent:
        _take(block, told.spent)
    until = told.until if after == "training" else at.now if turned else None
    if until is not None:
        _balance(block, (_second(until) - at.created).total_seconds())
    return block


def parts(block: Mapping[str, Any]) -> dict[str, int]:
    """Seconds by part, which add up to the whole time; `queued`, ..., `other`."""
    return {part: int(block.get(f"{part}Seconds") or 0) for part in (*WAITS, *TOLD, "other")}


def doing(status: Status) -> str:
    """The part that time counts to in that state; `training` where the workers tell it.

    A gang that has made a step and goes on by itself trains, whatever else is said of it.
    """
    phase = status.get("phase") or "Pending"
    if phase in ENDED:
        return ""
    if phase == "Suspended":
        return "suspended"
    if _is_true(status, "Progressing"):
        return "training"
    if phase in ("Pending", "Queued"):
        return "queued"
    if phase == "Preparing":
        return "preparing"
    return "restarting" if status.get("firstStepTime") else "starting"


def _is_true(status: Status, kind: str) -> bool:
    found = status.get("conditions") or ()
    return any(c["type"] == kind and c["status"] == "True" for c in found)


def _since(old: Status, at: Moments) -> datetime:
    """Up to when the waits are counted. An older operator has counted none."""
    said = (old.get("goodput") or {}).get("countedTime")
    if said:
        return datetime.fromisoformat(said)
    return at.now if old.get("phase") else at.created


def _turn(before: str, after: str, block: Object, told: Told, at: Moments) -> datetime:
    """When it went from one part to the other, which is before it was seen."""
    if after == "training":
        return told.began or at.now
    if before == "training":
        return at.lost if at.lost and after in ("restarting", "queued") else at.now
    if after == "" and told.spent:  # it trained between two looks
        known = sum(int(block.get(f"{part}Seconds") or 0) for part in TOLD)
        known += int(block.get(REFORMING) or 0)
        return at.now - timedelta(seconds=max(0.0, told.trained - known))
    return at.now


def _take(block: Object, told: Mapping[str, float]) -> None:
    """What the workers say replaces what they said; their restarts stand among the others."""
    for part in TOLD:
        block[f"{part}Seconds"] = round(told.get(part, 0.0))
    formed = round(told.get("restarting", 0.0))
    _add(block, "restartingSeconds", max(0, formed - int(block.get(REFORMING) or 0)))
    block[REFORMING] = formed


def _balance(block: Object, whole: float) -> None:
    """The rest, so that the parts add up, and the share of the steps that were kept."""
    known = sum(parts(block | {"otherSeconds": 0}).values())
    block["otherSeconds"] = max(0, int(whole) - known)
    kept = block.get("productiveSeconds")
    if kept is not None and whole > 0:
        block["percentage"] = min(100, int(100 * kept / whole))


def _add(block: Object, name: str, seconds: float) -> None:
    block[name] = int(block.get(name) or 0) + int(seconds)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _second(moment: datetime) -> datetime:
    """As a timestamp tells it: whole, so that intervals between two of them are, too."""
    return moment.astimezone(UTC).replace(microsecond=0)

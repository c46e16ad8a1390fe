"""Checkpoints of a job in a bucket. Every copy has a name of its own: none is ever overwritten.

<key>/step-00000120.<writer>/state.safetensors, values.json
<key>/step-00000120.<writer>/manifest.json      goes up last; without it there is no copy
<key>/best-step-00000100.<writer>/              the same for the best model
"""

from __future__ import annotations

import logging
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from graft_api.errors import StoreError
from graft_worker.mirror.bucket import Bucket, Item

from .folders import Kind
from .manifest import NAME, Manifest

NAMED = re.compile(r"(best-step|step)-(\d{8,})\.[0-9a-f]{8}")
NEVER = datetime.min.replace(tzinfo=UTC)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy, whole or half: its name, what it is of, its files, when its manifest came."""

    name: str
    kind: Kind
    step: int
    files: tuple[str, ...]
    finished: datetime = NEVER

    @property
    def whole(self) -> bool:
        """Whether its manifest is there, which goes up last."""
        return NAME in self.files


class Copies:
    """The copies below one key. Methods raise StoreError with the address of the object."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key

    def address(self, name: str) -> str:
        """What the addresses of all objects of that name begin with, a copy's or a checkpoint's."""
        return self._bucket.address(f"{self._key}/{name}")

    def listed(self, *, kind: Kind) -> tuple[Copy, ...]:
        """All copies of that kind, highest step first, of one step the newest first."""
        found: dict[str, list[Item]] = {}
        for item in self._bucket.listed(self._key):
            name, _, file = item.key.partition("/")
            if file and (match := NAMED.fullmatch(name)) and match[1] == kind:
                found.setdefault(name, []).append(item)
        copies = (_copy(name, kind, items) for name, items in found.items())
        return tuple(sorted(copies, key=lambda copy: (copy.step, copy.finished), reverse=True))

    def manifest(self, name: str) -> bytes:
        """The text of a copy's manifest."""
        return self._bucket.read(f"{self._key}/{name}/{NAME}")

    def put(self, source: Path, *, kind: Kind, step: int) -> str:
        """The name of a new copy of the checkpoint in that folder, whole."""
        name = f"{kind}-{step:08d}.{uuid.uuid4().hex[:8]}"
        for file in (*sorted(Manifest.read(source).files), NAME):
            self._bucket.put(source / file, f"{self._key}/{name}/{file}")
        return name

    def get(self, name: str, into: Path) -> None:
        """The folder has the files of a copy, which nobody has verified yet.

        Raises:
            ValueError: the manifest is damaged.
        """
        (into / NAME).write_bytes(self.manifest(name))
        for file in Manifest.read(into).files:
            plain = Path(file).name  # whatever it says, nothing is written outside of the folder
            self._bucket.get(f"{self._key}/{name}/{plain}", into / plain)

    def retire(self, name: str, *, keep: int) -> None:
        """Removes what the copy just finished makes superfluous.

        Of checkpoints up to its step the `keep` newest stay; of best models this one alone.
        """
        copies = self.listed(kind=parsed(name)[0])
        for copy in superfluous(copies, name, keep=keep):
            self._remove(copy)

    def _remove(self, copy: Copy) -> None:
        try:
            for file in sorted(copy.files, key=lambda file: file != NAME):
                self._bucket.remove(f"{self._key}/{copy.name}/{file}")
        except StoreError as error:
            logger.warning("an old checkpoint cannot be removed: %s", error)


def superfluous(copies: tuple[Copy, ...], name: str, *, keep: int) -> tuple[Copy, ...]:
    """Those of one kind that the copy of that name makes so: older ones, its doubles, halves.

    Checkpoints of higher steps are damaged or another writer's: they neither count nor go.
    """
    kind, step = parsed(name)
    if kind == "best-step":
        return tuple(copy for copy in copies if copy.name != name)
    older = [copy for copy in copies if copy.step <= step and copy.name != name]
    steps = sorted({copy.step for copy in older if copy.whole and copy.step < step}, reverse=True)
    kept = steps[: keep - 1]
    return tuple(copy for copy in older if not (copy.whole and copy.step in kept))


def parsed(name: str) -> tuple[Kind, int]:
    """Kind and step of a copy's name."""
    match = NAMED.fullmatch(name)
    assert match, name
    return ("step" if match[1] == "step" else "best-step"), int(match[2])


def _copy(name: str, kind: Kind, items: list[Item]) -> Copy:
    written = {item.key.partition("/")[2]: item.written for item in items}
    return Copy(
        name=name,
        kind=kind,
        step=parsed(name)[1],
        files=tuple(written),
        finished=written.get(NAME, NEVER),
    )

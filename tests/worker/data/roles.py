"""The roles of a text classifier, of a matcher, and splits of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graft_worker.data.rows import Role
from graft_worker.data.selections import Selection

TEXT = Role(name="text", kind="text", names=("text", "content"))
LABEL = Role(name="label", kind="target", names=("label", "labels"))
CLASSIFY = (TEXT, LABEL)
MATCH = (
    Role(name="text_a", kind="text", names=("text_a", "premise")),
    Role(name="text_b", kind="text", names=("text_b", "hypothesis")),
    LABEL,
)


def selection(*paths: Path | str, **fields: Any) -> Selection:
    return Selection(uris=tuple(str(path) for path in paths), **fields)

"""text_classify: a label, several labels or a number for a text or a pair (algorithms.md B2)."""

from __future__ import annotations

from graft_worker.apps.params import Params
from graft_worker.apps.sequences import SequenceApp
from graft_worker.apps.targets import label_role
from graft_worker.data.prepared import Problem
from graft_worker.data.rows import Role

NAME = "text_classify"

_TEXT = ("text", "content", "sentence", "review", "txt", "body", "title", "comment", "query")


def roles(params: Params) -> tuple[Role, ...]:
    """Columns `text` and `label`; `text_b`, a second text, only where `data.columns` maps it."""
    return (
        Role(name="text", kind="text", names=_TEXT),
        Role(name="text_b", kind="text", names=(), required=False),
        label_role(params.problem),
    )


def build(params: Params, *, problem: Problem, labels: tuple[str, ...]) -> SequenceApp:
    """The app for data of which problem and labels are known."""
    return SequenceApp(
        name=NAME,
        problem=problem,
        labels=labels,
        columns=roles(params),
        dropout=params.dropout,
    )

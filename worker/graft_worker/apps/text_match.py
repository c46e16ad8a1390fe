"""text_match: a relation of two texts, as a label or a number, by one tower (algorithms.md B4)."""

from __future__ import annotations

from graft_worker.apps.params import Params
from graft_worker.apps.sequences import SequenceApp
from graft_worker.apps.targets import label_role
from graft_worker.data.prepared import Problem
from graft_worker.data.rows import Role

NAME = "text_match"

_FIRST = ("text_a", "sentence1", "premise", "question1", "query", "text1", "first", "left")
_SECOND = ("text_b", "sentence2", "hypothesis", "question2", "document", "text2", "second", "right")


def roles(params: Params) -> tuple[Role, ...]:
    """Columns `text_a`, `text_b` and `label`."""
    return (
        Role(name="text_a", kind="text", names=_FIRST),
        Role(name="text_b", kind="text", names=_SECOND),
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

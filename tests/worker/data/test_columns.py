"""Which column plays which role, and what a target cell becomes."""

from __future__ import annotations

import pytest

from graft_api.errors import DataError
from graft_worker.data import columns, targets
from graft_worker.data.rows import Role
from tests.worker.data.roles import CLASSIFY, LABEL, TEXT


@pytest.mark.parametrize(
    ("found", "mapped", "expected"),
    [
        pytest.param(["Text", "LABEL"], {}, {"text": "Text", "label": "LABEL"}, id="any case"),
        pytest.param(
            ["TEXT", "text", "label"], {}, {"text": "text", "label": "label"}, id="exact first"
        ),
        pytest.param(
            ["content", "text", "label"], {}, {"text": "text", "label": "label"}, id="in order"
        ),
        pytest.param(
            ["review", "text", "stars"],
            {"text": "review", "label": "stars"},
            {"text": "review", "label": "stars"},
            id="as the job maps",
        ),
        pytest.param(
            ["text", "label", "more"],
            {"extra": "more"},
            {"text": "text", "label": "label", "extra": "more"},
            id="an optional role",
        ),
    ],
)
def test_columns_of_roles(
    found: list[str], mapped: dict[str, str], expected: dict[str, str]
) -> None:
    extra = Role(name="extra", kind="text", names=(), required=False)
    assert columns.resolve(found, (TEXT, LABEL, extra), mapped, file="f") == expected


@pytest.mark.parametrize(
    ("mapped", "message"),
    [
        pytest.param(
            {"text": "revew"},
            "f: no column for text: looked for revew; found review, label\n"
            "  did you mean columns: {text: review}?",
            id="a typo",
        ),
        pytest.param(
            {"texts": "review"},
            "data.columns.texts: the app has no such role\n  its roles are text, label",
            id="no such role",
        ),
        pytest.param(
            {},
            "f: no column for text: looked for text, content; found review, label\n"
            "  name it in the job: columns: {text: COLUMN}",
            id="nothing alike",
        ),
    ],
)
def test_a_missing_column_names_those_found(mapped: dict[str, str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        columns.resolve(["review", "label"], CLASSIFY, mapped, file="f")
    assert str(caught.value) == message


def test_values_of_targets() -> None:
    assert targets.value_of(" a ", "single_label") == "a"
    assert targets.value_of(3.0, "single_label") == "3"
    assert targets.value_of("a;b", "multi_label", separator=";") == ("a", "b")
    assert targets.value_of([1, "b"], "multi_label") == ("1", "b")
    assert targets.value_of("2.5", "regression") == 2.5
    with pytest.raises(ValueError, match="'x' is not a finite number"):
        targets.value_of("x", "regression")

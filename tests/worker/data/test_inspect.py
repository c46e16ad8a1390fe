"""What is known of data sets before training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graft_api.errors import DataError
from graft_worker.data.inspect import Inspection, SplitReport, describe, inspect
from graft_worker.data.rows import Role
from graft_worker.data.selections import Cut
from graft_worker.data.targets import TargetWish
from tests.worker.data.roles import CLASSIFY, MATCH, selection


def jsonl(path: Path, labels: list[Any], *, texts: list[str] | None = None) -> Path:
    given = texts or [f"text {i}" for i in range(len(labels))]
    rows = [json.dumps({"text": t, "label": v}) for t, v in zip(given, labels, strict=True)]
    path.write_text("\n".join(rows))
    return path


@pytest.mark.parametrize(
    ("cells", "wish", "problem", "labels"),
    [
        pytest.param(["b", "a", "b"], {}, "single_label", ("a", "b"), id="texts are classes"),
        pytest.param([10, 9, 10], {}, "single_label", ("9", "10"), id="numbers by value"),
        pytest.param(["10", "9", "x"], {}, "single_label", ("9", "10", "x"), id="numbers first"),
        pytest.param([1.0, 2.0], {}, "single_label", ("1", "2"), id="whole floats are classes"),
        pytest.param([True, False], {}, "single_label", ("false", "true"), id="truth values"),
        pytest.param([" a", "a ", "b"], {}, "single_label", ("a", "b"), id="no outer space"),
        pytest.param([1, 2.5, 3], {}, "regression", (), id="a fraction makes numbers"),
        pytest.param(["1", "-2.55e1"], {}, "regression", (), id="numbers written as text"),
        pytest.param(["1_0.5", "2"], {}, "single_label", ("2", "1_0.5"), id="1_0 is no number"),
        pytest.param([1, 2], {"problem": "regression"}, "regression", (), id="numbers as wished"),
        pytest.param(
            [1.5, 2], {"labels": ("2", "1.5")}, "single_label", ("2", "1.5"), id="given labels"
        ),
        pytest.param(
            [["b", "a"], [], ["c"]], {}, "multi_label", ("a", "b", "c"), id="lists are sets"
        ),
        pytest.param(['["b", "a"]', "[]"], {}, "multi_label", ("a", "b"), id="lists as text"),
        pytest.param(
            ["b, a", "", "c,"],
            {"problem": "multi_label"},
            "multi_label",
            ("a", "b", "c"),
            id="commas as wished",
        ),
        pytest.param(
            ["b|a", "c"],
            {"problem": "multi_label", "separator": "|"},
            "multi_label",
            ("a", "b", "c"),
            id="another separator as wished",
        ),
    ],
)
def test_the_problem_and_the_labels_follow_from_the_cells(
    tmp_path: Path, cells: list[Any], wish: dict[str, Any], problem: str, labels: tuple[str, ...]
) -> None:
    path = jsonl(tmp_path / "a.jsonl", cells)
    found = inspect({"train": selection(path)}, CLASSIFY, wish=TargetWish(**wish))
    assert (found.problem, found.labels) == (problem, labels)


@pytest.mark.parametrize(
    ("cells", "wish", "expected"),
    [
        pytest.param(
            ["a", ["b"]],
            {},
            "a list of labels is expected: 1 row, at a.jsonl:1 (a)",
            id="a text among lists",
        ),
        pytest.param(
            ["a", ["b"], "c"],
            {"problem": "single_label"},
            "1 rows hold a list, one label is expected",
            id="a list among texts",
        ),
        pytest.param(
            [["a", None], ["b"]],
            {},
            "a label is a text or a number: 1 row, at a.jsonl:1 (NoneType)",
            id="null in a list",
        ),
        pytest.param(
            [1.5, "x", None, float("nan")],
            {"problem": "regression"},
            "empty: 1 row, at a.jsonl:3\nnot a number: 1 row, at a.jsonl:2 (x)\n"
            "not a finite number: 1 row, at a.jsonl:4 (nan)",
            id="no numbers",
        ),
        pytest.param([[], []], {}, "no label in any row", id="no label at all"),
    ],
)
def test_cells_that_do_not_fit(
    tmp_path: Path, cells: list[Any], wish: dict[str, Any], expected: str
) -> None:
    path = jsonl(tmp_path / "a.jsonl", cells)
    with pytest.raises(DataError) as caught:
        inspect({"train": selection(path)}, CLASSIFY, wish=TargetWish(**wish))
    found = str(caught.value).replace(f"{tmp_path}/", "").replace("  train: label: ", "")
    assert found == f"the data cannot be used:\n{expected}"


def report(**fields: Any) -> SplitReport:
    columns = (("text", "text"), ("label", "label"))
    sound = {"empty": 0, "duplicates": 0, "overlap": 0, "columns": columns, "unused": ()}
    return SplitReport(**{**sound, **fields})


def two_splits(folder: Path) -> Inspection:
    train = jsonl(folder / "t.jsonl", ["a", "b", "a", "b"], texts=["x", "x", " ", "long"])
    dev = jsonl(folder / "d.jsonl", ["a", "a"], texts=["x", "new"])
    splits = {"train": selection(train), "validation": selection(dev)}
    return inspect(splits, CLASSIFY, wish=TargetWish())


def test_a_report_in_full(tmp_path: Path) -> None:
    assert two_splits(tmp_path) == Inspection(
        problem="single_label",
        labels=("a", "b"),
        roles=CLASSIFY,
        columns={"text": "text", "label": "label"},
        splits={
            "train": report(rows=4, labels=(("a", 2), ("b", 2)), empty=1, duplicates=1, longest=4),
            "validation": report(rows=2, labels=(("a", 2), ("b", 0)), overlap=1, longest=3),
        },
        wish=TargetWish(),
        warnings=(
            f"train: empty text: 1 row, at {tmp_path}/t.jsonl:3",
            "train: 1 of 4 rows repeat an earlier one",
            "validation: 1 of 2 rows stand in train as well",
        ),
    )


def test_a_report_for_a_terminal(tmp_path: Path) -> None:
    assert describe(two_splits(tmp_path)) == (
        "target: one label per row, 2 labels: a, b",
        "train: 4 rows, longest text 4 characters, 1 empty, 1 repeated, 0 also in train",
        "  labels: a 2, b 2",
        "  columns: text = text, label = label",
        "validation: 2 rows, longest text 3 characters, 0 empty, 0 repeated, 1 also in train",
        "  labels: a 2, b 0",
        "  columns: text = text, label = label",
        f"warning: train: empty text: 1 row, at {tmp_path}/t.jsonl:3",
        "warning: train: 1 of 4 rows repeat an earlier one",
        "warning: validation: 1 of 2 rows stand in train as well",
    )


def test_imbalance_and_unseen_labels_are_warned_of(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", ["a"] * 101 + ["b"])
    wish = TargetWish(labels=("a", "b", "c"))
    found = inspect({"train": selection(path)}, CLASSIFY, wish=wish)
    assert found.warnings == (
        "train: labels without a row: c",
        "train: imbalance: 101 rows of a, 1 of b",
    )


def test_a_fraction_is_held_back_from_train(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", ["a", "b"] * 50)
    splits = {
        side: selection(path, cut=Cut(fraction=0.13, seed=5, side=side))
        for side in ("train", "validation")
    }
    found = inspect(splits, CLASSIFY, wish=TargetWish())
    assert {name: report.rows for name, report in found.splits.items()} == {
        "train": 87,
        "validation": 13,
    }
    assert found.warnings == ()


def test_one_row_cannot_be_cut_in_two(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", ["a"])
    cut = Cut(fraction=0.5, seed=5, side="train")
    with pytest.raises(DataError, match="too few rows to hold back a share"):
        inspect({"train": selection(path, cut=cut)}, CLASSIFY, wish=TargetWish())


def test_the_same_text_in_other_columns_is_no_duplicate(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("premise\thypothesis\tlabel\nx\ty\t1\ny\tx\t2\nx\ty\t2\n")
    found = inspect({"train": selection(path)}, MATCH, wish=TargetWish())
    assert found.splits["train"].duplicates == 1
    assert found.columns == {"text_a": "premise", "text_b": "hypothesis", "label": "label"}


def test_a_split_without_labels_is_read_without_them(tmp_path: Path) -> None:
    (tmp_path / "bare.tsv").write_text("text\tlabel\nnew\tnobody knows\nand another\t\n")
    (tmp_path / "texts.txt").write_text("new\n\nlonger\n")
    train = selection(jsonl(tmp_path / "a.jsonl", ["a", "b"]))
    for name, rows in (("bare.tsv", 2), ("texts.txt", 2)):
        bare = selection(tmp_path / name, bare=True)
        found = inspect({"train": train, "unlabelled": bare}, CLASSIFY, wish=TargetWish())
        assert found.labels == ("a", "b")
        assert found.splits["unlabelled"].rows == rows
        assert not any("labels: nobody" in line for line in describe(found))


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "roles", "mapped", "expected"),
    [
        pytest.param("sst2", CLASSIFY, (), ("single_label", 2, 6910, 872), id="SST-2"),
        pytest.param("tnews_zh", CLASSIFY, (), ("single_label", 15, 3282, 1010), id="TNEWS"),
        pytest.param(
            "fashion_multilabel", CLASSIFY, (), ("multi_label", 18, 4729, 800), id="fashion"
        ),
        pytest.param(
            "sick", MATCH, (("label", "score"),), ("regression", 0, 4440, 495), id="SICK scores"
        ),
        pytest.param("sick", MATCH, (), ("single_label", 3, 4440, 495), id="SICK labels"),
    ],
)
def test_real_data_sets(
    data_root: Path,
    folder: str,
    roles: tuple[Role, ...],
    mapped: tuple[tuple[str, str], ...],
    expected: tuple[str, int, int, int],
) -> None:
    splits = {
        name: selection(data_root / folder / file, columns=mapped)
        for name, file in [("train", "train.jsonl"), ("validation", "dev.jsonl")]
    }
    found = inspect(splits, roles, wish=TargetWish())
    rows = [found.splits[name].rows for name in splits]
    assert (found.problem, len(found.labels), *rows) == expected

"""Faults of splits are told all at once; formats, schemas and hostile bytes."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graft_api.errors import ConfigError, DataError
from graft_api.vocabulary import ExitCode
from graft_worker.data import reading, schema
from graft_worker.data.faults import DataFaults
from graft_worker.data.inspect import inspect
from graft_worker.data.targets import TargetWish
from tests.worker.data.bad import faults
from tests.worker.data.roles import CLASSIFY, selection

SQUAD = {
    "context": "abc",
    "qas": [{"question": "?", "answers": [{"text": "z", "answer_start": 1}]}],
}


@pytest.mark.parametrize(
    ("given", "content", "expected"),
    [
        pytest.param(
            "label:str:1,text:str:1",
            "a\tone\nb\tone\nb\n",
            "wrong number of columns: 1 row, at a.tsv:3 (expected 2: label, text; found 1: b)",
            id="too few columns",
        ),
        pytest.param(
            "label:int:1,text:str:1",
            "1\tone\n2\ttwo\nx\tthree\n3.0\tfour\n",
            "column label: not as in the schema: 2 rows, at "
            "a.tsv:3 (expected int, found 'x'), a.tsv:4 (expected int, found '3.0')",
            id="no whole number",
        ),
        pytest.param(
            "label:str:1,text:str:1,v:float:3",
            "a\tone\t1,2,3\nb\ttwo\t1,2\n",
            "column v: not as in the schema: 1 row, at "
            "a.tsv:2 (expected 3 values separated by commas, found 2)",
            id="too short a vector",
        ),
    ],
)
def test_a_row_that_is_not_as_the_schema_says(
    tmp_path: Path, given: str, content: str, expected: str
) -> None:
    assert faults(tmp_path, "a.tsv", content, schema=given) == [f"train: {expected}"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("label:str", "'label:str' is not name:type:length", id="two parts"),
        pytest.param("label:text:1", "'label:text:1' is not name:type:length", id="unknown type"),
        pytest.param("label:str:x", "'label:str:x' is not name:type:length", id="no length"),
        pytest.param("label:str:0", "the length of 'label' is at least 1", id="length 0"),
        pytest.param("a:str:1,a:int:1", "column 'a' stands twice", id="a name twice"),
        pytest.param("", "'' is not name:type:length", id="empty"),
    ],
)
def test_a_schema_that_breaks_the_grammar(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        schema.parse(text)
    assert caught.value.message == f"schema {text!r}: {message}"


def test_all_faults_of_all_splits_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("label\ttext\na\tone\nb\ttwo\n\tthree\n")
    (tmp_path / "test.tsv").touch()
    (tmp_path / "dev.tsv").write_text("label\ttext\na\tone\nc\tfour\nd\tfive\nc\tsix\nx\n")
    splits = {
        "train": selection(tmp_path / "train.tsv"),
        "validation": selection(tmp_path / "dev.tsv"),
        "test": selection(tmp_path / "tset.tsv"),
    }
    with pytest.raises(DataFaults) as caught:
        inspect(splits, CLASSIFY, wish=TargetWish(labels=("a", "b")))
    at = f"{tmp_path}/"
    assert str(caught.value) == "\n  ".join(
        [
            "the data cannot be used:",
            f"train: label: empty: 1 row, at {at}train.tsv:4",
            f"validation: wrong number of columns: 1 row, at {at}dev.tsv:6 "
            "(expected 2: label, text; found 1: x)",
            f"validation: label: unknown label 'c', the labels are a, b: "
            f"2 rows, at {at}dev.tsv:3, {at}dev.tsv:5",
            f"validation: label: unknown label 'd', the labels are a, b: 1 row, at {at}dev.tsv:4",
            f"test: {at}tset.tsv: no such file "
            f"(did you mean test.tsv, dev.tsv, train.tsv in {tmp_path}?)",
        ]
    )
    assert caught.value.exit_code is ExitCode.DATA


def test_a_fault_of_train_does_not_accuse_the_other_splits(tmp_path: Path) -> None:
    (tmp_path / "dev.tsv").write_text("label\ttext\na\tone\n")
    splits = {"train": selection(tmp_path / "none"), "validation": selection(tmp_path / "dev.tsv")}
    with pytest.raises(DataFaults) as caught:
        inspect(splits, CLASSIFY, wish=TargetWish())
    assert [line.partition(":")[0] for line in caught.value.faults] == ["train"]


def test_many_faults_are_counted_and_five_are_shown(tmp_path: Path) -> None:
    rows = "".join(f"a\tx\ty{i}\n" for i in range(7))
    (found,) = faults(tmp_path, "a.tsv", f"label\ttext\na\tone\nb\ttwo\n{rows}")
    assert found.startswith("train: wrong number of columns: 7 rows, first at a.tsv:4 (")
    assert found.count("a.tsv:") == 5


def test_reading_ends_when_everything_is_bad(tmp_path: Path) -> None:
    first, second = faults(tmp_path, "a.tsv", "label\ttext\na\tone\n" + "x\n" * 20_000)
    assert first == "train: more than 10,000 bad rows, the rest is not read"
    assert second.startswith("train: wrong number of columns: 10,000 rows, first at a.tsv:3 (")


def test_forty_faults_are_cut_to_twenty(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("label\ttext\na\tone\n" + "".join(f"u{i}\tt\n" for i in range(40)))
    with pytest.raises(DataFaults) as caught:
        inspect({"train": selection(path)}, CLASSIFY, wish=TargetWish(labels=("a",)))
    assert len(caught.value.faults) == 40
    assert str(caught.value).endswith("and 20 more")


def test_outside_of_the_inspection_the_first_bad_row_raises(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("label\ttext\na\n")
    with pytest.raises(DataError) as caught:
        list(reading.read(selection(tmp_path / "a.tsv")))
    assert str(caught.value) == (
        f"{tmp_path}/a.tsv:2: wrong number of columns: expected 2: label, text; found 1: a"
    )


def test_an_answer_that_is_not_in_its_context(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"data": [{"paragraphs": [SQUAD]}]}))
    with pytest.raises(DataError) as caught:
        list(reading.read(selection(tmp_path / "a.json")))
    assert str(caught.value) == (
        f"{tmp_path}/a.json:1: bad question: "
        "answer 'z' does not stand at character 1 of the context"
    )


@pytest.mark.parametrize(
    ("name", "content", "format_", "message"),
    [
        pytest.param(
            "a.json",
            '{"data": [{"paragraphs": [}]}',
            "auto",
            "a.json:1: not JSON: Expecting value",
            id="SQuAD that is no JSON",
        ),
        pytest.param(
            "a.json",
            '{"paragraphs": []}',
            "auto",
            'a.json: no SQuAD document: the list "data" is missing',
            id="SQuAD without data",
        ),
        pytest.param(
            "a.jsonl",
            '{"title": "x"}\n',
            "squad",
            "a.jsonl:1: no SQuAD paragraph: expected the keys context and qas",
            id="no paragraph",
        ),
        pytest.param(
            "a.conll",
            "It\tO\nis\n",
            "auto",
            "a.conll:2: token without a tag: expected a token and a tag, found 1 columns",
            id="CoNLL without a tag",
        ),
    ],
)
def test_faults_of_other_formats(
    tmp_path: Path, name: str, content: str, format_: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as caught:
        list(reading.read(selection(tmp_path / name, format=format_)))
    assert caught.value.message == f"{tmp_path}/{message}"


def test_an_unknown_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<a/>")
    with pytest.raises(ConfigError) as caught:
        list(reading.read(selection(tmp_path / "a.xml", format="xml")))
    assert str(caught.value) == (
        "format 'xml' is unknown\n  one of auto, tsv, csv, jsonl, parquet, conll, squad, text"
    )


def test_a_parquet_bomb_is_refused(tmp_path: Path) -> None:
    table = pa.table({"text": ["x" * (1 << 20)] * 260})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    with pytest.raises(DataError, match="bytes would grow to 27"):
        next(reading.read(selection(tmp_path / "a.parquet")))


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    """200 MB in one line, while the process takes less than 100 MB more."""
    with (tmp_path / "a.tsv").open("wb") as file:
        file.write(b"label\ttext\na\t")
        for _ in range(50):
            file.write(b"x" * (4 << 20))
    before = peak_memory()
    with pytest.raises(DataFaults, match="line longer than"):
        inspect({"train": selection(tmp_path / "a.tsv")}, CLASSIFY, wish=TargetWish())
    assert peak_memory() - before < 100 << 20


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_never_end_in_a_traceback(tmp_path: Path, seed: int) -> None:
    names = ["a.tsv", "a.csv", "a.jsonl", "a.parquet", "a.conll", "a.txt", "a.json", "a"]
    content = os.urandom(3000) if seed % 2 else bytes(b % 128 or 1 for b in os.urandom(3000))
    for name in names:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataError):
            inspect({"train": selection(path)}, CLASSIFY, wish=TargetWish())

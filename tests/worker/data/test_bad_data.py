"""Every fault of a data set is told with its place and a remedy, all of them at once."""

from __future__ import annotations

import gzip
import json
import os
import resource
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graft_api.errors import ConfigError, DataError, ExitCode
from graft_worker.data import reading, schema
from graft_worker.data.faults import DataFaults
from graft_worker.data.inspect import inspect
from graft_worker.data.targets import TargetWish
from tests.worker.data.roles import CLASSIFY, selection

UTF8 = "files are read as UTF-8; convert it: iconv -f {} -t UTF-8 OLD > NEW"
HALF = b"label\ttext\na\t\xe4\xbd\xa0\xe5\xa5\nb\ttwo\n"
SQUAD = {
    "context": "abc",
    "qas": [{"question": "?", "answers": [{"text": "z", "answer_start": 1}]}],
}


def faults(folder: Path, name: str, content: str | bytes, **fields: str) -> list[str]:
    """The lines of the error that inspecting the file gives, without the folder's name."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataFaults) as caught:
        inspect({"train": selection(path, **fields)}, CLASSIFY, wish=TargetWish())
    return [line.replace(f"{folder}/", "") for line in caught.value.faults]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param(
            "a.tsv",
            "",
            "a.tsv: no rows: the file is empty, or holds a header only",
            id="zero bytes",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\n",
            "a.tsv: no rows: the file is empty, or holds a header only",
            id="header only",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\na\tone\n".encode("utf-16"),
            f"a.tsv: is encoded in UTF-16 ({UTF8.format('UTF-16')})",
            id="UTF-16",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\na\tone\n".encode("utf-16-le"),
            f"a.tsv: is encoded in UTF-16 (without a mark) ({UTF8.format('UTF-16LE')})",
            id="UTF-16 without a mark",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\na\t这是一个很好的电影\n".encode("gbk"),
            "a.tsv:2: byte 0xd5 at offset 13 is not UTF-8, the file seems to be GBK "
            f"({UTF8.format('GBK')})",
            id="GBK",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\na\tUn café très élégant\n".encode("latin-1"),
            "a.tsv:2: byte 0xe9 at offset 19 is not UTF-8, the file seems to be Latin-1 "
            f"({UTF8.format('LATIN1')})",
            id="Latin-1",
        ),
        pytest.param(
            "a.tsv",
            HALF,
            "invalid UTF-8: 1 row, at a.tsv:2 (byte 0xe5 at offset 16 breaks a UTF-8 character)",
            id="half a UTF-8 character",
        ),
        pytest.param(
            "a.tsv",
            b"label\ttext\na\to\0ne\n",
            "a.tsv: is a binary file: NUL byte at offset 14 (give a text file)",
            id="NUL at the beginning",
        ),
        pytest.param(
            "a.tsv",
            b"label\ttext\n" + b"a\tone\nb\ttwo\n" * 30_000 + b"a\t\0\n",
            "NUL byte in a text file: 1 row, at a.tsv:60002 (at offset 360013)",
            id="NUL far behind",
        ),
        pytest.param(
            "a.tsv",
            b"\x89PNG\r\n\x1a\n....",
            "a.tsv: is a PNG picture, not text "
            "(name its format under data.*.format, or export it as text)",
            id="a picture",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\na\t" + "x" * 10_000_000 + "\nb\ttwo\n",
            "line longer than 1,048,576 bytes: 1 row, at a.tsv:2 (is an end of line missing?)",
            id="a line of 10 MB",
        ),
        pytest.param(
            "a.tsv",
            "lable\ttext\na\tone\n",
            "a.tsv: no column for label: looked for label, labels; found lable, text "
            "(did you mean columns: {label: lable}?)",
            id="wrong column",
        ),
        pytest.param(
            "a.tsv",
            "a\tone is fine\nb\ttwo\n",
            "a.tsv: no column for text: looked for text, content; found a, one is fine (the first "
            'row seems to be data; name the columns: schema: "label:str:1,text:str:1")',
            id="no header",
        ),
        pytest.param(
            "a.csv",
            ",".join(f"c{i}" for i in range(100_000)) + "\n" + "," * 99_999 + "\n",
            "a.csv: no column for text: looked for text, content; "
            "found c0, c1, c2, c3, c4, c5, c6, c7 and 99,992 more "
            "(name it in the job: columns: {text: COLUMN})",
            id="100,000 columns",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\na\tone\nb\ttwo\tthree\nb\n",
            "wrong number of columns: 2 rows, at "
            "a.tsv:3 (expected 2: label, text; found 3: b, two, three), "
            "a.tsv:4 (expected 2: label, text; found 1: b)",
            id="ragged rows",
        ),
        pytest.param(
            "a.tsv",
            "label\tlabel\na\tone\n",
            "a.tsv:1: column 'label' stands twice in the header: label, label (name every column "
            'once; for a file without header give schema: "label:str:1,…")',
            id="a column twice",
        ),
        pytest.param(
            "a.csv",
            'label,text\na,"one\nb,two\n',
            "a.csv:2: a quote is opened in this row and never closed "
            '(close it, or double it where it belongs to the text: "")',
            id="an open quote",
        ),
        pytest.param(
            "a.csv",
            'label,text\na,"one"x\nb,two\n',
            "quotes out of place: 1 row, at a.csv:2 (',' expected after '\"')",
            id="text after a quoted cell",
        ),
        pytest.param(
            "a.jsonl",
            '[{"text": "x"}]',
            "a.jsonl: is a JSON array, not JSON Lines "
            "(write one object per line: jq -c '.[]' OLD > NEW)",
            id="JSON array",
        ),
        pytest.param(
            "a.jsonl",
            '{"text": "x", "label": "a"},\n{"text": "y", "label": "b"}\n',
            "not JSON: 1 row, at a.jsonl:1 "
            "(a comma after the object; in JSON Lines nothing stands between lines)",
            id="trailing comma",
        ),
        pytest.param(
            "a.jsonl",
            '{"text": "x", "label": "a"}\nnull\n',
            "not a JSON object: 1 row, at a.jsonl:2 (found NoneType)",
            id="no object",
        ),
        pytest.param(
            "a.jsonl",
            '{"text": "x", "label": "a"}\n{"text": ' + "[" * 100_000 + "\n",
            "not JSON: 1 row, at a.jsonl:2 (nested too deeply)",
            id="brackets without end",
        ),
        pytest.param(
            "a.jsonl",
            '{"text": {"en": "x"}, "label": "a"}\n{"text": "y", "label": "b"}\n',
            "column text: a text is expected: 1 row, at a.jsonl:1 (found dict)",
            id="nested text",
        ),
        pytest.param(
            "a.jsonl",
            '{"text": "\\ud83d", "label": "a"}\n{"text": "y", "label": "b"}\n',
            "half a surrogate pair: no character: 1 row, at a.jsonl:1 (\\ud83d)",
            id="half a surrogate pair",
        ),
        pytest.param(
            "a.jsonl",
            '{"text": "x", "label": {"a": 1}}\n{"text": "y", "label": "b"}\n',
            "label: a label is a text or a number: 1 row, at a.jsonl:1 (dict)",
            id="nested label",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\na\tone\na\ttwo\n",
            "label: every row has the label 'a'; a classifier needs two or more",
            id="one class",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\na\tone\n\ttwo\nb\tthree\n \tfour\n",
            "label: empty: 2 rows, at a.tsv:3, a.tsv:5",
            id="no label",
        ),
        pytest.param(
            "a.jsonl",
            '{"text": "x", "label": 1}\n{"text": "y", "label": NaN}\n{"text": "z", "label": 2}\n',
            "label: NaN is no label: 1 row, at a.jsonl:2 (nan)",
            id="NaN as a label",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\n1.5\tone\n2\ttwo\ninf\tthree\n",
            "label: not a finite number: 1 row, at a.tsv:4 (inf)",
            id="an infinite number",
        ),
        pytest.param(
            "a.tsv",
            "label\ttext\n" + "".join(f"x{i}\tt{i}\n" for i in range(10_001)),
            "label: more than 10,000 different labels: not a column of classes",
            id="no classes",
        ),
        pytest.param("a.tsv", "label\ttext\na\t \nb\t\n", "every text is empty", id="only space"),
        pytest.param(
            "a.tsv.gz",
            gzip.compress(b"label\ttext\na\tone\n" * 999)[:-20],
            "a.tsv.gz: cannot be read to its end: "
            "Compressed file ended before the end-of-stream marker was reached "
            "(check the permission, and copy the file again if it is damaged)",
            id="half a gzip file",
        ),
        pytest.param(
            "a.parquet",
            b"PAR1 and then nothing",
            "a.parquet: is no whole Parquet file: Parquet magic bytes not found in footer. Either "
            "the file is corrupted or this is not a parquet file. "
            "(copy the file again, or name its true format under data.*.format)",
            id="truncated Parquet",
        ),
    ],
)
def test_the_one_fault_is_told(
    tmp_path: Path, name: str, content: str | bytes, expected: str
) -> None:
    assert faults(tmp_path, name, content) == [f"train: {expected}"]


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
            f"test: {at}tset.tsv: no such file (did you mean train.tsv, dev.tsv in {tmp_path}?)",
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
    column = pa.array(["x" * 1000]).take(pa.array([0] * 1_100_000, pa.int64()))
    table = pa.table({"text": column})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    with pytest.raises(DataError, match="bytes would grow to 1,1"):
        next(reading.read(selection(tmp_path / "a.parquet")))


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    """400 MB in one line, in a process that may take 100 MB more than it has."""
    with (tmp_path / "a.tsv").open("wb") as file:
        file.write(b"label\ttext\na\t")
        file.truncate(10)
        for _ in range(100):
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

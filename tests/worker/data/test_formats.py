"""Every format gives its rows with the lines on which they stand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graft_worker.data import reading, schema
from graft_worker.data.formats import table
from graft_worker.data.rows import Row
from graft_worker.data.selections import Selection
from graft_worker.data.sources import Source, resolve


def rows(path: Path, **selection: Any) -> list[tuple[int, dict[str, Any]]]:
    read = reading.read(Selection(uris=(str(path),), **selection))
    return [(row.line, dict(row.values)) for row in read]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


TWO = [(2, {"label": "a", "text": "one"}), (3, {"label": "b", "text": "two"})]
SENTENCES = [
    (1, {"tokens": ["It", "is"], "tags": ["O", "B-X"], "text": "It is"}),
    (4, {"tokens": ["so"], "tags": ["O"], "text": "so"}),
]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param("a.tsv", "label\ttext\na\tone\nb\ttwo\n", TWO, id="TSV"),
        pytest.param("a.tsv", "label\ttext\na\tone\nb\ttwo", TWO, id="no end of line at the end"),
        pytest.param("a.tsv", "label\ttext\r\na\tone\r\nb\ttwo\r\n", TWO, id="CRLF"),
        pytest.param("a.tsv", "label\ttext\ra\tone\rb\ttwo\r", TWO, id="CR alone"),
        pytest.param("a.tsv", "\ufefflabel\ttext\na\tone\nb\ttwo\n", TWO, id="byte order mark"),
        pytest.param("a.csv", "label,text\na,one\nb,two\n", TWO, id="CSV"),
        pytest.param("a.dat", "label\ttext\na\tone\nb\ttwo\n", TWO, id="TSV by its first lines"),
        pytest.param("a.dat", "label,text\na,one\nb,two\n", TWO, id="CSV by its first lines"),
        pytest.param("a.TSV", "label\ttext\na\tone\nb\ttwo\n", TWO, id="extension in capitals"),
        pytest.param(
            "a.csv.gz", gzip.compress(b"label,text\na,one\nb,two\n"), TWO, id="gzip is undone"
        ),
        pytest.param(
            "a.csv",
            'label,text\na,"one, ""quoted""\nover two lines"\nb,two\n',
            [
                (2, {"label": "a", "text": 'one, "quoted"\nover two lines'}),
                (4, {"label": "b", "text": "two"}),
            ],
            id="CSV with quotes, commas and line ends in a cell",
        ),
        pytest.param(
            "a.tsv",
            'label\ttext\na\t"Alien" is good\nb\tsays "no"\n',
            [
                (2, {"label": "a", "text": '"Alien" is good'}),
                (3, {"label": "b", "text": 'says "no"'}),
            ],
            id="TSV keeps quotes that belong to the text",
        ),
        pytest.param(
            "a.tsv",
            'label\ttext\na\t"one"\nb\t"two"\n',
            TWO,
            id="TSV with a column quoted throughout",
        ),
        pytest.param(
            "a.tsv",
            'label\ttext\na\t"says ""no"""\nb\ttwo\n',
            [(2, {"label": "a", "text": 'says "no"'}), (3, {"label": "b", "text": "two"})],
            id="TSV with a doubled quote",
        ),
        pytest.param(
            "a.jsonl",
            '{"label": 1, "text": "one"}\n\n{"label": [2, null], "text": "\\ud83d\\ude00"}\n',
            [(1, {"label": 1, "text": "one"}), (3, {"label": [2, None], "text": "😀"})],
            id="JSON Lines with a blank line",
        ),
        pytest.param(
            "a.txt",
            '{"label": 1, "text": "one"}\n',
            [(1, {"label": 1, "text": "one"})],
            id="JSON Lines by their first line",
        ),
        pytest.param(
            "a.conll", "It\tO\nis\tB-X\n\nso\tO\n", SENTENCES, id="CoNLL: one row per sentence"
        ),
        pytest.param(
            "a.txt", "It\tO\nis\tB-X\n\nso\tO\n", SENTENCES, id="CoNLL by its first lines"
        ),
        pytest.param(
            "a.conll", "It PRP O\nis V B-X\n\nso ADV O\n", SENTENCES, id="CoNLL with four columns"
        ),
        pytest.param(
            "a.txt",
            "First sentence.\nSecond, longer.\n\n\nNext document.\n",
            [
                (1, {"text": "First sentence.", "document": 0}),
                (2, {"text": "Second, longer.", "document": 0}),
                (5, {"text": "Next document.", "document": 1}),
            ],
            id="text: a blank line between documents",
        ),
    ],
)
def test_rows_and_lines(
    tmp_path: Path, name: str, content: str | bytes, expected: list[tuple[int, dict[str, Any]]]
) -> None:
    assert rows(written(tmp_path, name, content)) == expected


def test_a_text_of_a_million_characters_is_a_row(tmp_path: Path) -> None:
    long = "x" * 1_000_000
    for name, content in [("a.tsv", f"text\n{long}\n"), ("a.csv", f"text\n{long}\n")]:
        assert rows(written(tmp_path, name, content)) == [(2, {"text": long})]


def test_columns_by_number_where_there_is_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", "a\tone\nb\ttwo\n")
    assert rows(path, columns=(("label", "0"), ("text", "1"))) == [
        (1, {"0": "a", "1": "one"}),
        (2, {"0": "b", "1": "two"}),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.tsv", "7\t0.5,1\tb25l\n", id="tab separated"),
        pytest.param("a.csv", "7\t0.5,1\tb25l\n", id="tab separated and called csv"),
        pytest.param("a.csv", "id\tv\traw\n7\t0.5,1\tb25l\n", id="with a header all the same"),
    ],
)
def test_a_schema_names_and_types_the_columns(tmp_path: Path, name: str, content: str) -> None:
    found = rows(written(tmp_path, name, content), schema="id:int:1,v:float:2,raw:base64:1")
    assert [values for _, values in found] == [{"id": 7, "v": [0.5, 1.0], "raw": b"one"}]


def test_a_schema_of_a_file_with_commas(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "a,one\n")
    assert rows(path, schema="label:str:1,text:str:1") == [(1, {"label": "a", "text": "one"})]


def test_parquet_rows_are_counted_from_one(tmp_path: Path) -> None:
    values = {"text": ["one", None], "label": [["a", "b"], []], "n": [1, 2]}
    pq.write_table(pa.table(values), tmp_path / "a.parquet")
    expected = [
        (1, {"text": "one", "label": ["a", "b"], "n": 1}),
        (2, {"text": None, "label": [], "n": 2}),
    ]
    assert rows(tmp_path / "a.parquet") == expected
    (tmp_path / "a.parquet").rename(tmp_path / "b.bin")
    assert rows(tmp_path / "b.bin") == expected


def test_zstandard_is_undone(tmp_path: Path) -> None:
    with pa.CompressedOutputStream(str(tmp_path / "a.tsv.zst"), "zstd") as stream:
        stream.write(b"label\ttext\na\tone\nb\ttwo\n")
    assert rows(tmp_path / "a.tsv.zst") == TWO


PARAGRAPH = {
    "context": "Ada wrote it.",
    "qas": [
        {"id": "1", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}]},
        {"id": "2", "question": "When?", "answers": [], "is_impossible": True},
    ],
}


def questions(line: int, title: str) -> list[tuple[int, dict[str, Any]]]:
    same = {"title": title, "context": "Ada wrote it."}
    answer = {"text": "Ada", "answer_start": 0}
    first = {"id": "1", "question": "Who?", "answer": "Ada", "char_start": 0}
    second = {"id": "2", "question": "When?", "answer": "", "char_start": -1}
    return [
        (line, {**same, **first, "answers": [answer], "is_impossible": False}),
        (line, {**same, **second, "answers": [], "is_impossible": True}),
    ]


@pytest.mark.parametrize("indent", [None, 2], ids=["on one line", "over many lines"])
def test_squad_as_published(tmp_path: Path, indent: int | None) -> None:
    articles = [{"title": t, "paragraphs": [PARAGRAPH]} for t in ("A", "B")]
    text = json.dumps({"version": "v2.0", "data": articles}, indent=indent)
    lines = (
        [1, 1] if indent is None else [i for i, x in enumerate(text.split("\n"), 1) if x == "    {"]
    )
    expected = questions(lines[0], "A") + questions(lines[1], "B")
    assert rows(written(tmp_path, "dev-v2.0.json", text)) == expected


def test_squad_with_a_paragraph_per_line(tmp_path: Path) -> None:
    text = json.dumps({"title": "A", **PARAGRAPH}) + "\n" + json.dumps({"title": "B", **PARAGRAPH})
    expected = questions(1, "A") + questions(2, "B")
    assert rows(written(tmp_path, "dev.jsonl", text)) == expected
    assert rows(tmp_path / "dev.jsonl", format="squad") == expected


def test_an_article_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    paragraph = {
        "context": "é" * 900_000,
        "qas": [{"question": "?", "id": str(i)} for i in range(3)],
    }
    document = {"data": [{"title": "T", "paragraphs": [paragraph]}] * 2}
    found = rows(written(tmp_path, "a.json", json.dumps(document)))
    assert [values["id"] for _, values in found] == ["0", "1", "2"] * 2


@pytest.mark.data
@pytest.mark.parametrize(
    ("path", "found", "number"),
    [
        pytest.param("sst2/train.jsonl", "jsonl", 6910, id="SST-2 is JSON Lines"),
        pytest.param("wikigold_en/train.txt", "conll", 1434, id="WikiGold is CoNLL"),
        pytest.param("squad2_half/train.jsonl", "squad", 4771, id="SQuAD by paragraphs"),
        pytest.param("pretrain_zh_wiki/train.txt", "text", 9978, id="Chinese text by lines"),
        pytest.param("lexical_bless/dev.tsv", "tsv", 1316, id="TSV with a header"),
    ],
)
def test_real_files_are_recognised_and_read(
    data_root: Path, path: str, found: str, number: int
) -> None:
    source = resolve(Selection(uris=(str(data_root / path),)))[0]
    assert table.detect(source) == found
    assert len(rows(data_root / path)) == number


def test_rows_name_their_file(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", "text\none\n")
    assert next(reading.read(Selection(uris=(str(path),)))) == Row({"text": "one"}, str(path), 2)
    assert reading.columns_of(Source(name="a", uri=str(path), size=9), Selection(uris=())) == (
        "text",
    )


def test_the_schema_grammar() -> None:
    assert schema.parse("label:str:1, v:float:128") == (
        schema.Field("label", "str", 1),
        schema.Field("v", "float", 128),
    )

"""Bad data: prepare tells file, line and remedy; nothing is trained, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.badinput.desk import Desk, refused, rows

HALF = rows("old").encode() + b"\xe4\xbd\xa0\xe5\xa5\xbd \xe5\xa5\tgood\n"
CHINESE = "text\tlabel\n这个灯很好\t好\n这个风扇很差\t坏\n"
OBJECTS = '{"text": "one lamp", "label": "good"},\n{"text": "two lamps", "label": "bad"}\n'
ARRAY = '[{"text": "one lamp", "label": "good"}, {"text": "two lamps", "label": "bad"}]\n'
SCORES = "text\tlabel\na good lamp\t0.5\na bad lamp\tNaN\nno lamp\t0.25\n"
REGRESSION = "app.params={problem: regression}"


def refused_in_prepare(desk: Desk, *words: str, settings: tuple[str, ...] = ()) -> None:
    arguments = [part for setting in settings for part in ("--set", setting)]
    result = desk.run(*arguments)
    refused(desk, result, "prepare failed: ", *words)
    assert "train: started" not in result.stderr
    assert not list(desk.store.glob("jobs/*/tiny-*/prepared.json"))
    assert not list(desk.store.glob("jobs/*/tiny-*/tokenizer"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param("train.tsv", "", ("train.tsv: no rows", "empty"), id="an empty file"),
        pytest.param(
            "train.tsv", "text\tlabel\n", ("train.tsv: no rows", "header only"), id="a header only"
        ),
        pytest.param(
            "train.tsv",
            "text\tlable\na lamp\tgood\na fan\tbad\n",
            ("train.tsv: no column for label", "did you mean columns: {label: lable}?"),
            id="a misspelt column",
        ),
        pytest.param(
            "train.tsv",
            rows("old") + "one\n" + "a\tb\tc\n",
            (
                "wrong number of columns: 2 rows, at ",
                "train.tsv:18 (expected 2: text, label; found 1: ",
            ),
            id="ragged rows",
        ),
        pytest.param(
            "train.tsv",
            "text\tlabel\na lamp\tgood\na fan\tgood\n",
            ("train: label: every row has the label 'good'", "needs two or more"),
            id="one class only",
        ),
        pytest.param(
            "train.tsv",
            b"\x7fELF\2\1\1\0" + bytes(range(256)),
            ("train.tsv: is a binary file: NUL byte at offset 7", "give a text file"),
            id="a binary file",
        ),
        pytest.param(
            "train.tsv",
            HALF,
            ("invalid UTF-8: 1 row, at ", "train.tsv:18", "breaks a UTF-8 character"),
            id="half a UTF-8 character",
        ),
        pytest.param(
            "train.tsv",
            rows("old").encode("utf-16"),
            ("train.tsv: is encoded in UTF-16", "iconv -f UTF-16 -t UTF-8"),
            id="a file in UTF-16",
        ),
        pytest.param(
            "train.tsv",
            CHINESE.encode("gbk"),
            ("train.tsv:2", "seems to be GBK", "iconv -f GBK -t UTF-8"),
            id="a file in GBK",
        ),
        pytest.param(
            "train.tsv",
            rows("old") + "x" * 10_000_000 + "\tgood\n",
            ("line longer than 1,048,576 bytes: 1 row, at ", "train.tsv:18"),
            id="a line of 10 MB",
        ),
        pytest.param(
            "train.jsonl",
            OBJECTS,
            ("not JSON: 1 row, at ", "train.jsonl:1", "comma"),
            id="JSON Lines with a comma at the end",
        ),
        pytest.param(
            "train.jsonl",
            ARRAY,
            ("train.jsonl", "array", "one object"),
            id="a JSON array in a .jsonl file",
        ),
        pytest.param(
            "train.csv",
            'text,label\n"a lamp,good\na fan,bad\n',
            ("train.csv:2", "quot"),
            id="a quote that is never closed",
        ),
        pytest.param(
            "train.parquet",
            b"PAR1 is how it starts, and how it would end",
            ("train.parquet: ", "Parquet"),
            id="a .parquet file that holds no Parquet",
        ),
    ],
)
def test_a_bad_file_is_told_with_its_place(
    used_desk: Desk, name: str, content: str | bytes, words: tuple[str, ...]
) -> None:
    used_desk.write(name, content)
    used_desk.job(("train.tsv", name))
    refused_in_prepare(used_desk, *words)


def test_a_truncated_parquet_file_is_told(used_desk: Desk) -> None:
    table = pa.table({"text": ["a lamp", "a fan"] * 500, "label": ["good", "bad"] * 500})
    path = used_desk.folder / "train.parquet"
    pq.write_table(table, path)
    path.write_bytes(path.read_bytes()[:-40])
    used_desk.job(("train.tsv", "train.parquet"))
    refused_in_prepare(used_desk, "train.parquet: ", "Parquet")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        pytest.param(
            "data.train.uri=trian.tsv",
            ("trian.tsv", "no such file", "train.tsv"),
            id="a file that there is not",
        ),
        pytest.param(
            "data.train.uri=parts/", ("parts", "no such file"), id="a folder that there is not"
        ),
        pytest.param(
            "data.train.uri=train-*.tsv", ("train-*.tsv", "no file"), id="a glob without a match"
        ),
        pytest.param(
            "data.train.uri=empty", ("empty", "folder", "no file"), id="a folder without a file"
        ),
        pytest.param(
            "data.train.uri=loop.tsv", ("loop.tsv", "symbolic links"), id="a loop of links"
        ),
        pytest.param(
            "data.train.uri=dangling.tsv",
            ("dangling.tsv", "no such file"),
            id="a link to nowhere",
        ),
        pytest.param(
            "data.train.columns={text: body}",
            ("train.tsv", "body", "text", "label"),
            id="data.columns that names a column that there is not",
        ),
        pytest.param(
            "app.labels=[good, terrible]",
            ("unknown label 'bad', the labels are good, terrible: 8 rows", "train.tsv:3"),
            id="a label that app.labels does not have",
        ),
        pytest.param(
            'data.train.schema="text:str:1,label:str:1,score:float:1"',
            ("train.tsv:1 (expected 3: text, label, score; found 2: text, label)",),
            id="a schema with a column too many",
        ),
        pytest.param(
            "data.train.format=xlsx", ("data.train.format", "xlsx", "tsv"), id="an unknown format"
        ),
        pytest.param(
            "data.train.uri=example://reviews/trian.tsv",
            ("example://reviews/trian.tsv", "train.tsv"),
            id="an example that there is not",
        ),
    ],
)
def test_bad_settings_of_the_data_are_told(
    used_desk: Desk, setting: str, words: tuple[str, ...]
) -> None:
    (used_desk.folder / "empty").mkdir()
    (used_desk.folder / "loop.tsv").symlink_to("loop.tsv")
    (used_desk.folder / "dangling.tsv").symlink_to(Path("nowhere.tsv"))
    refused(used_desk, used_desk.run("--set", setting), *words)
    assert not list(used_desk.store.glob("jobs/*/tiny-*/prepared.json"))


def test_a_folder_named_like_a_file_is_told(used_desk: Desk) -> None:
    (used_desk.folder / "folder.tsv").mkdir()
    refused_in_prepare(used_desk, "folder.tsv", settings=("data.train.uri=folder.tsv",))


def test_a_score_that_is_no_number_is_told_with_its_row(used_desk: Desk) -> None:
    used_desk.write("train.tsv", SCORES)
    used_desk.write("dev.tsv", SCORES.replace("NaN", "0.1"))
    refused_in_prepare(used_desk, "train.tsv:3", "label", "NaN", settings=(REGRESSION,))


def test_a_label_of_validation_that_train_lacks_is_told_with_its_row(used_desk: Desk) -> None:
    used_desk.write("dev.tsv", rows("new") + "a mystery\tmaybe\n")
    refused_in_prepare(used_desk, "validation: label: unknown label 'maybe'", "dev.tsv:18")

"""A file with one fault is told with its place and a remedy."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.worker.data.bad import faults

UTF8 = "files are read as UTF-8; convert it: iconv -f {} -t UTF-8 OLD > NEW"
HALF = b"label\ttext\na\t\xe4\xbd\xa0\xe5\xa5\nb\ttwo\n"


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
            b"label\ttext\na\tone\nb\ttwo \xe5\xa5",
            "invalid UTF-8: 1 row, at a.tsv:3 (byte 0xe5 at offset 23 breaks a UTF-8 character)",
            id="a file cut in the midst of its only Chinese character",
        ),
        pytest.param(
            "a.tsv",
            b"label\ttext\na\to\0ne\n",
            "a.tsv: is a binary file: NUL byte at offset 14 (give a text file)",
            id="NUL at the beginning",
        ),
        pytest.param(
            "a.tsv",
            b"label\ttext\n" + b"a\tone\nb\ttwo\n" * 22_000 + b"a\t\0\n",
            "NUL byte in a text file: 1 row, at a.tsv:44002 (at offset 264013)",
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

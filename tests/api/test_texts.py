"""Files that are no job file at all: each is refused with one clear line."""

from __future__ import annotations

import pytest

from graft_api.decoding import DecodeError, decode, decode_json
from tests.api.jobs import TRANSFER, with_line, with_spec

BOMB = """\
a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
"""
CASES = (
    pytest.param(
        "", "the file is empty: `graft init` writes a job to start from", id="an empty file"
    ),
    pytest.param(
        "# nothing\n",
        "the file is empty: `graft init` writes a job to start from",
        id="a file of comments",
    ),
    pytest.param(
        "- a\n- b\n",
        "line 1: expected a mapping with apiVersion, kind, metadata and spec, found a list",
        id="a list",
    ),
    pytest.param(
        "hello world\n",
        "line 1: expected a mapping with apiVersion, kind, metadata and spec, found 'hello world'",
        id="plain text",
    ),
    pytest.param(
        f"{TRANSFER}---\n{TRANSFER}",
        "line 15: a second document begins: give each job a file",
        id="two documents",
    ),
    pytest.param(
        "a: 1\n\0\1\2",
        "line 2: the character U+0000 cannot stand in YAML: is this a binary file?",
        id="a binary file",
    ),
    pytest.param(
        b"\x7fELF\x02\x01\x01",
        "line 1: the character U+007F cannot stand in YAML: is this a binary file?",
        id="a program",
    ),
    pytest.param(
        b"a: 1\nb: \xe4\xbd",
        "line 2: byte 0xe4 is not UTF-8: save the file as UTF-8",
        id="half a character",
    ),
    pytest.param(
        "x" * (2**20 + 1),
        "line 1: the file is larger than 1 MiB: is it a job file?",
        id="more than a mebibyte",
    ),
    pytest.param(
        "[" * 500_000, "line 1: nested more than 64 levels deep", id="brackets without end"
    ),
    pytest.param(
        BOMB,
        "line 5: e: holds more than 100000 values, aliases counted each time",
        id="aliases that multiply",
    ),
    pytest.param(
        "a: &a\n  b: *a\n",
        "line 2: a.b.b.b.b.b.b.b: an alias holds itself",
        id="an alias of itself",
    ),
    pytest.param(
        with_line(9, "    from: {zoo: minilm-l6-en"),
        "line 10: not valid YAML: did not find expected ',' or '}'",
        id="a bracket left open",
    ),
    pytest.param(
        with_line(6, "\tapp:"),
        "line 6: not valid YAML: found character that cannot start any token",
        id="a tab as indentation",
    ),
    pytest.param(
        with_spec("training: {seed: !!python/object:os.system 1}"),
        "line 15: spec.training.seed: cannot read '1' as os.system",
        id="an object of Python",
    ),
    pytest.param(
        with_spec("training: {[1, 2]: 3}"),
        "line 15: spec.training: a key must be a word, found a list or a mapping",
        id="a key that is a list",
    ),
)


@pytest.mark.parametrize(("text", "message"), CASES)
def test_what_is_no_job_file_is_refused_in_one_line(text: str | bytes, message: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode(text)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            b"{", "not valid JSON: Expecting property name enclosed in double quotes", id="half"
        ),
        pytest.param(b"[]", "expected a mapping", id="a list"),
        pytest.param(b"\xff", "not valid JSON: 'utf-8' codec can't decode byte 0xff", id="bytes"),
    ],
)
def test_json_that_is_no_job_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode_json(text)
    assert raised.value.message.startswith(message)

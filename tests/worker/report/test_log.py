from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from graft_worker.report import log
from graft_worker.report.secrets import redacted, secrets_of


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    log.configure(stream, secrets=["hunter2-long"], job="reviews", attempt=2, rank=0)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)


def entry(stream: io.StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def test_a_line_says_when_how_bad_what_and_whose(stream: io.StringIO) -> None:
    logging.getLogger("anything").warning("step %d: %s", 3, "模型")
    found = entry(stream)
    assert str(found.pop("time")).endswith("+00:00")
    assert found == {
        "level": "warning",
        "message": "step 3: 模型",
        "job": "reviews",
        "attempt": 2,
        "rank": 0,
    }
    assert "模型" in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\x1b[31mred\x1b[0m", id="escape sequences that colour a terminal"),
        pytest.param("first\nsecond\r\x0b\x0c", id="line breaks that fake a second entry"),
        pytest.param("\x9b31m \x85 \x7f", id="eight-bit control characters"),
        pytest.param("a\u2028b\u2029c", id="line separators of JavaScript"),
        pytest.param("\u202eexe.txt\u2066", id="characters that turn text around"),
        pytest.param("half \ud83d a character", id="half a surrogate pair"),
    ],
)
def test_control_characters_are_escaped_and_can_be_read_back(
    stream: io.StringIO, text: str
) -> None:
    # Past the handlers of the test runner, which cannot pass half a character on.
    (ours,) = (h for h in logging.getLogger().handlers if getattr(h, "stream", None) is stream)
    ours.handle(logging.makeLogRecord({"msg": "%s", "args": (text,), "levelname": "ERROR"}))
    line = stream.getvalue().removesuffix("\n")
    assert line.isprintable()
    assert json.loads(line)["message"] == text


def test_an_exception_brings_its_traceback_on_the_same_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("bad hunter2-long")
    except ValueError:
        logging.getLogger().exception("failed")
    error = str(entry(stream)["error"])
    assert error.startswith("Traceback (most recent call last):\n")
    assert error.endswith("\nValueError: bad ***")


def test_warnings_of_python_are_logged(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "UserWarning: old" in str(entry(stream)["message"])


def test_a_library_with_handlers_of_its_own_speaks_json_once_adopted(stream: io.StringIO) -> None:
    own = io.StringIO()
    library = logging.getLogger("library.part")
    library.addHandler(logging.StreamHandler(own))
    library.propagate = False
    log.adopt("library")
    library.warning("hello")
    assert own.getvalue() == ""
    assert entry(stream)["message"] == "hello"


def test_secrets_are_the_values_whose_variables_say_so() -> None:
    environ = {
        "AWS_SECRET_ACCESS_KEY": "abcdefgh",
        "hf_token": "hf_1234567",
        "DB_PASSWORD": "short",
        "HOME": "/home/somebody",
    }
    assert secrets_of(environ) == ("hf_1234567", "abcdefgh")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("key abcdefgh!", "key ***!", id="a known value"),
        pytest.param(
            "https://me:pass@host/x and s3://bucket/a@b",
            "https://***@host/x and s3://bucket/a@b",
            id="a password in a URL",
        ),
        pytest.param(
            "GET https://h/f?part=1&X-Amz-Signature=0a1b&n=2",
            "GET https://h/f?part=1&X-Amz-Signature=***&n=2",
            id="the signature of a signed URL",
        ),
        pytest.param("12:30 user@host /a:b", "12:30 user@host /a:b", id="plain text stays"),
    ],
)
def test_secrets_do_not_reach_the_log(text: str, expected: str) -> None:
    assert redacted(text, ["abcdefgh"]) == expected

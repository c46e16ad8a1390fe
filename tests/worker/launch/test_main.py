from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graft_api.progress import Termination
from graft_worker.report import termination

USAGE = "usage: python -m graft_worker {prepare,launch,train,rendezvous}\n"


def worker(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRAFT_")}
    return subprocess.run(
        [sys.executable, "-m", "graft_worker", *arguments],
        env=kept | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="no program"),
        pytest.param(("fly",), id="an unknown program"),
        pytest.param(("train", "--fast"), id="options, which are settings elsewhere"),
    ],
)
def test_a_wrong_call_shows_the_right_one(arguments: tuple[str, ...]) -> None:
    ended = worker(*arguments)
    assert (ended.returncode, ended.stdout) == (64, "")
    assert ended.stderr.startswith(USAGE)


def test_help_is_no_error() -> None:
    ended = worker("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(USAGE)


@pytest.mark.parametrize("program", ["prepare", "train", "launch"])
def test_a_missing_setting_is_one_log_line_and_the_last_words(tmp_path: Path, program: str) -> None:
    path = tmp_path / "termination.json"
    ended = worker(
        program, GRAFT_TERMINATION_FILE=str(path), GRAFT_JOB_UID="reviews", GRAFT_ATTEMPT="2"
    )
    message = "GRAFT_JOB_FILE is not set: start workers with `graft run` or by the operator"
    (line,) = ended.stderr.splitlines()
    entry = json.loads(line)
    entry.pop("time")
    assert entry == {"level": "error", "message": message, "job": "reviews", "attempt": "2"}
    assert termination.read(path) == Termination(
        state="Failed", failure_class="ConfigError", exit_code=64, message=message
    )
    assert (ended.returncode, ended.stdout) == (64, "")


CRASH = """
import os, sys
from graft_worker.run.guard import guarded
def program(environ):
    raise ValueError("cannot log in with " + environ["HUB_TOKEN"])
sys.exit(guarded(lambda: program, dict(os.environ)))
"""


def test_an_unknown_error_ends_with_a_traceback_in_the_log_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "termination.json"
    ended = subprocess.run(
        [sys.executable, "-c", CRASH],
        env=os.environ | {"GRAFT_TERMINATION_FILE": str(path), "HUB_TOKEN": "hunter2-long"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    entry = json.loads(ended.stderr)
    assert entry["message"] == "ValueError: cannot log in with ***"
    assert entry["error"].startswith("Traceback (most recent call last):\n")
    words = termination.read(path)
    assert words
    assert (words.state, words.failure_class, words.exit_code) == ("Failed", "UserError", 1)
    assert words.message.startswith("ValueError: cannot log in with ***\nat <string>:5 in program")
    assert "hunter2" not in ended.stderr + path.read_text()

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft_api.errors import ConfigError, DataError, GraftError, Stopped, StoreError, WorldError
from graft_api.progress import Termination
from graft_worker.report import termination
from graft_worker.report.last_words import ending, note_step

COMPLETE = Termination(state="Complete", artefact_uri="file:///a", artefact_digest="sha256:0")


def failed(message: str, hint: str = "") -> Termination:
    return Termination(state="Failed", failure_class="UserError", message=message, hint=hint)


def test_short_words_are_kept_whole() -> None:
    words = failed("half a character: \ud83d, 模型, 🚀", "look")
    assert Termination.from_json(termination.fit(words)) == words


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 5000, id="ASCII"),
        pytest.param("模" * 5000, id="Chinese, six bytes of JSON each"),
        pytest.param("🚀" * 5000, id="surrogate pairs, twelve bytes of JSON each"),
        pytest.param('"\\\n' * 5000, id="quotes and line breaks, two bytes of JSON each"),
    ],
)
def test_long_words_are_cut_between_characters_and_use_the_room(text: str) -> None:
    written = termination.fit(failed(text, "what to do"))
    assert 4096 - 12 <= len(written.encode()) <= 4096
    read = Termination.from_json(written)
    assert read.hint == "what to do"
    assert read.message.endswith("…")
    assert text.startswith(read.message.removesuffix("…"))


@given(message=st.text(max_size=3000), hint=st.text(max_size=3000))
def test_any_words_fit_and_are_valid(message: str, hint: str) -> None:
    written = termination.fit(failed(message, hint))
    assert len(written.encode()) <= 4096
    read = Termination.from_json(written)
    assert message.startswith(read.message.removesuffix("…")) or read.message == message
    assert read.state == "Failed"


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "termination.json"
    path.write_text("old")
    before = path.stat().st_ino
    termination.write(path, COMPLETE)
    assert path.stat().st_ino != before
    assert termination.read(path) == COMPLETE
    assert [p.name for p in tmp_path.iterdir()] == ["termination.json"]


def test_the_kubelets_own_file_is_written_in_place(tmp_path: Path) -> None:
    path = tmp_path / "termination-log"
    path.write_text("something longer than the last words " * 100)
    before = path.stat()
    termination.write(path, COMPLETE, in_place=path)
    assert path.stat().st_ino == before.st_ino
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(before.st_mode)
    assert termination.read(path) == COMPLETE


def test_words_that_cannot_be_written_hide_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "absent" / "termination.json"
    termination.write(path, COMPLETE)
    assert caplog.messages == [
        f"{path}: the last words cannot be written: No such file or directory"
    ]
    assert termination.read(path) is None


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


class DistBackendError(RuntimeError):
    """Named as torch names its own."""


LESS = "set a smaller training.microBatch or data.maxLength, or ask for more memory"
PEERS = "another worker ended first: its last words and log say why"
MEND = "free space on the store or mend it, then run the same job again"
AGAIN = "run the same job again: it goes on from the newest checkpoint"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            ConfigError("a: b", hint="c"),
            ("Failed", "ConfigError", 64, "a: b", "c"),
            id="a wrong job file",
        ),
        pytest.param(DataError("line 3"), ("Failed", "DataError", 65, "line 3", ""), id="bad data"),
        pytest.param(
            WorldError("2 of 3"),
            ("Failed", "InfrastructureError", 69, "2 of 3", ""),
            id="a world too small",
        ),
        pytest.param(
            StoreError("full"),
            ("Failed", "InfrastructureError", 74, "full", ""),
            id="a full store",
        ),
        pytest.param(
            Stopped("asked to"),
            ("Stopped", "Disruption", 75, "asked to", ""),
            id="stopped on request",
        ),
        pytest.param(
            GraftError("odd"), ("Failed", "UserError", 1, "odd", ""), id="any other of ours"
        ),
        pytest.param(
            MemoryError("1 GiB"),
            ("Failed", "UserError", 1, "out of memory: MemoryError: 1 GiB", LESS),
            id="memory of the machine",
        ),
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device", "/store/x"),
            ("Failed", "InfrastructureError", 74, "/store/x: No space left on device", MEND),
            id="a full disk outside a checkpoint",
        ),
        pytest.param(
            KeyboardInterrupt(),
            ("Stopped", "Disruption", 130, "interrupted", AGAIN),
            id="Ctrl-C",
        ),
        pytest.param(
            RuntimeError("[/x/gloo/transport/tcp/pair.cc:456] closed"),
            (
                "Failed",
                "InfrastructureError",
                1,
                "lost peers: RuntimeError: [/x/gloo/transport/tcp/pair.cc:456] closed",
                PEERS,
            ),
            id="a peer that is gone, as gloo says it",
        ),
        pytest.param(
            ValueError("odd"),
            ("Failed", "UserError", 1, "ValueError: odd", "the log has the whole traceback"),
            id="an unknown error",
        ),
    ],
)
def test_every_error_has_a_class_a_code_and_a_hint(
    error: BaseException, expected: tuple[object, ...]
) -> None:
    note_step(error, 7)
    words = json.loads(ending(error, rank=3).to_json())
    names = ("state", "failureClass", "exitCode", "message", "hint")
    artefact = {
        "artefactUri": "",
        "artefactDigest": "",
        "artefactBytes": 0,
        "totalSteps": 0,
        "metrics": {},
    }
    artefact |= {"modelDigest": "", "dataset": {}}  # said by prepare alone
    artefact |= {"comparison": {}}  # said by distillation alone
    artefact |= {"seconds": {}}  # said by a training that is done
    assert words == dict(zip(names, expected, strict=True)) | artefact | {"rank": 3, "step": 7}


@pytest.mark.parametrize(
    ("error", "failure", "start"),
    [
        pytest.param(
            OutOfMemoryError("CUDA out of memory"), "UserError", "out of memory: ", id="of a GPU"
        ),
        pytest.param(DistBackendError("NCCL"), "InfrastructureError", "lost peers: ", id="of NCCL"),
    ],
)
def test_errors_of_torch_are_known_by_name(error: Exception, failure: str, start: str) -> None:
    words = ending(error)
    assert words.failure_class == failure
    assert words.message.startswith(start)


def test_an_unknown_error_tells_its_last_place() -> None:
    try:
        os.stat("/absent/file")
    except OSError as error:
        words = ending(error)
    head, place = words.message.splitlines()
    assert head == "FileNotFoundError: [Errno 2] No such file or directory: '/absent/file'"
    assert place.startswith(f"at {__file__}:")
    assert place.endswith('in test_an_unknown_error_tells_its_last_place: os.stat("/absent/file")')

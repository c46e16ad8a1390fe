"""`predict` and `evaluate` on what is damaged, missing or no artefact: nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.badinput.desk import Desk, refused, rows
from tests.badinput.disks import mounted

Harm = Callable[[Path], object]
OLD = "predictions\nof yesterday\n"
INPUT = ("--input", "dev.tsv")
OUTPUT = ("--output", "out.tsv")


@pytest.fixture
def copy(used_desk: Desk) -> Path:
    """A copy of a finished job's model outside of the store, under its name."""
    artefact = used_desk.artefact()
    return Path(shutil.copytree(artefact, used_desk.folder / "copies" / artefact.name))


def assert_output_is_of_yesterday(desk: Desk) -> None:
    """No output was replaced and none was left half-written."""
    assert (desk.folder / "out.tsv").read_text() == OLD
    assert [path.name for path in desk.folder.glob("*out.tsv*")] == ["out.tsv"]


def flipped(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        pytest.param(
            flipped, ("model.safetensors: damaged: sha256", "MANIFEST.json"), id="a flipped bit"
        ),
        pytest.param(
            lambda folder: (folder / "model.safetensors").write_bytes(b""),
            ("model.safetensors: damaged: 0 bytes", "MANIFEST.json"),
            id="emptied weights",
        ),
        pytest.param(
            lambda folder: (folder / "labels.json").unlink(),
            ("labels.json: missing, though MANIFEST.json names it",),
            id="a missing file",
        ),
        pytest.param(
            lambda folder: (folder / "MANIFEST.json").write_text("{}"),
            ("MANIFEST.json: damaged",),
            id="an emptied manifest",
        ),
        pytest.param(
            lambda folder: (folder / "MANIFEST.json").unlink(),
            ("not an artefact", "MANIFEST.json"),
            id="a folder that is no artefact",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_a_damaged_artefact_is_refused(
    used_desk: Desk, copy: Path, verb: str, harm: Harm, words: tuple[str, ...]
) -> None:
    used_desk.write("out.tsv", OLD)
    harm(copy)
    outputs = OUTPUT if verb == "predict" else ()
    refused(used_desk, used_desk.graft(verb, str(copy), *INPUT, *outputs), *words)
    assert_output_is_of_yesterday(used_desk)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ("--input", "nowhere.tsv", *OUTPUT), ("nowhere.tsv", "no such file"), id="no input"
        ),
        pytest.param(
            ("--input", "bodies.tsv", *OUTPUT),
            ("bodies.tsv: no column for text", "found body, label"),
            id="an input without the column",
        ),
        pytest.param(
            ("--input", "ragged.tsv", *OUTPUT),
            ("ragged.tsv:18", "wrong number of columns"),
            id="a ragged row at the end",
        ),
        pytest.param(
            (*INPUT, *OUTPUT, "--append", "lable"),
            ("no column lable to append", "label"),
            id="a column to append that there is not",
        ),
        pytest.param(
            (*INPUT, *OUTPUT, "--columns", "prediction"),
            ("output column prediction: unknown", "predictions"),
            id="an output column that there is not",
        ),
        pytest.param(
            (*INPUT, *OUTPUT, "--map", "text=body"),
            ("dev.tsv", "body", "text, label"),
            id="a map to a column that there is not",
        ),
        pytest.param(
            (*INPUT, "--output", "nowhere/out.tsv"),
            ("nowhere", "folder"),
            id="an output in a folder that there is not",
        ),
        pytest.param(
            ("--input", "dev.tsv", "--output", "dev.tsv"),
            ("dev.tsv", "--output", "input"),
            id="the input for an output",
        ),
        pytest.param(
            ("--input", "d*.tsv", "--output", "dev.tsv"),
            ("dev.tsv: is the input", "name another file"),
            id="one of several inputs for an output",
        ),
        pytest.param(
            ("--input", "dev.tsv", "--output", "link.tsv"),
            ("link.tsv: is the input", "name another file"),
            id="a link to the input for an output",
        ),
    ],
)
def test_predict_tells_what_it_cannot_do(
    used_desk: Desk, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    used_desk.write("out.tsv", OLD)
    (used_desk.folder / "link.tsv").symlink_to("dev.tsv")
    used_desk.write("bodies.tsv", rows("new").replace("text", "body"))
    used_desk.write("ragged.tsv", rows("new") + "a\tb\tc\td\n")
    refused(used_desk, used_desk.graft("predict", str(used_desk.artefact()), *arguments), *words)
    assert_output_is_of_yesterday(used_desk)
    assert (used_desk.folder / "dev.tsv").read_text() == rows("new")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            rows("new").replace("good", "maybe"),
            ("label", "maybe", "labels.tsv:2"),
            id="labels that the model does not know",
        ),
        pytest.param(
            "text\na lamp\n", ("labels.tsv", "no column for label"), id="no column of labels"
        ),
    ],
)
def test_evaluate_tells_what_it_cannot_measure(
    used_desk: Desk, content: str, words: tuple[str, ...]
) -> None:
    used_desk.write("labels.tsv", content)
    result = used_desk.graft("evaluate", str(used_desk.artefact()), "--input", "labels.tsv")
    refused(used_desk, result, *words)
    assert result.stdout == ""


def test_a_disk_that_is_full_leaves_no_half_of_the_predictions(
    used_desk: Desk, tmp_path: Path
) -> None:
    with mounted(tmp_path / "disk", "size=64k") as disk:
        (disk / "filler").write_bytes(bytes(60 << 10))
        output = str(disk / "out.tsv")
        used_desk.write("many.tsv", "text\n" + "a lamp that is bright\n" * 200)
        arguments = ("--input", "many.tsv", "--output", output, "--append", "text")
        result = used_desk.graft("predict", str(used_desk.artefact()), *arguments)
        refused(used_desk, result, "out.tsv", "No space left on device", code=result.returncode)
        assert result.returncode in {1, 2}
        assert [path.name for path in disk.iterdir()] == ["filler"]

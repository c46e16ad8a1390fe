from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worker.checkpoint.saving import newest_step, saved, store, visible


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "tensors are truncated": (
        lambda folder: os.truncate(folder / "state.safetensors", 100),
        "state.safetensors: 100 bytes instead of 480",
    ),
    "tensors are empty": (
        lambda folder: os.truncate(folder / "state.safetensors", 0),
        "state.safetensors: 0 bytes instead of 480",
    ),
    "one bit of the tensors is flipped": (
        lambda folder: flip(folder / "state.safetensors"),
        "state.safetensors: its SHA-256 differs from the manifest's",
    ),
    "tensors are missing": (
        lambda folder: (folder / "state.safetensors").unlink(),
        "state.safetensors: missing",
    ),
    "one bit of the values is flipped": (
        lambda folder: flip(folder / "values.json"),
        "values.json: its SHA-256 differs from the manifest's",
    ),
    "the manifest is missing": (
        lambda folder: (folder / "manifest.json").unlink(),
        "manifest.json: missing",
    ),
    "the manifest is cut": (
        lambda folder: os.truncate(folder / "manifest.json", 50),
        "manifest.json: Expecting ':' delimiter: line 4 column 12 (char 50)",
    ),
    "the manifest has no files": (
        lambda folder: (folder / "manifest.json").write_text('{"step": 20}'),
        "manifest.json: not a manifest: 'files'",
    ),
    "the manifest is another step's": (
        lambda folder: rewrite(folder / "manifest.json", step=10),
        "manifest.json: is of step 10",
    ),
    "the manifest is of a newer version": (
        lambda folder: rewrite(folder / "manifest.json", format=2),
        "manifest.json: format 2, this version reads 1",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_checkpoint_is_named_and_skipped(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage, reason = DAMAGE[name]
    saved(tmp_path, 10, 20)
    damage(tmp_path / "step-00000020")
    assert newest_step(tmp_path) == 10
    assert caplog.messages == [
        f"CheckpointCorrupt: {tmp_path}/step-00000020: {reason}; it is skipped"
    ]


def test_a_file_under_a_checkpoints_name_is_skipped(tmp_path: Path) -> None:
    saved(tmp_path, 10)
    (tmp_path / "step-00000020").write_text("not a folder")
    assert newest_step(tmp_path) == 10


def test_a_damaged_best_model_is_skipped(tmp_path: Path) -> None:
    checkpoints = store(tmp_path)
    checkpoints.save_best({}, {}, step=1)
    checkpoints.wait()
    flip(tmp_path / "best-step-00000001" / "values.json")
    assert checkpoints.best() is None


def test_a_damaged_checkpoint_is_replaced_by_a_new_one_of_its_step(tmp_path: Path) -> None:
    saved(tmp_path, 10, 20)
    flip(tmp_path / "step-00000020" / "state.safetensors")
    saved(tmp_path, 20)
    assert newest_step(tmp_path) == 20
    assert visible(tmp_path) == ["step-00000010", "step-00000020"]


def test_a_damaged_checkpoint_of_a_higher_step_does_not_displace_a_whole_one(
    tmp_path: Path,
) -> None:
    saved(tmp_path, 10, 30, keep=2)
    flip(tmp_path / "step-00000030" / "state.safetensors")
    saved(tmp_path, 20, keep=1)
    assert newest_step(tmp_path) == 20

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from graft_api.errors import StoreError
from graft_worker.checkpoint.store import Checkpoints

MEBIBYTE = 2**20
SMALL = {"weight": torch.ones(MEBIBYTE // 8)}  # half a MiB
LARGE = {"weight": torch.ones(MEBIBYTE)}  # four MiB


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=3m", "none", str(disk))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"cannot mount here: {error.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.name != ".lock")


def test_a_full_disk_keeps_the_previous_checkpoint_and_says_what_is_needed(
    small_disk: Path,
) -> None:
    checkpoints = Checkpoints(small_disk / "checkpoints", keep=2)
    checkpoints.save(SMALL, {}, step=10)
    checkpoints.save(LARGE, {}, step=20)
    with pytest.raises(StoreError) as raised:
        checkpoints.wait()
    assert raised.value.message.startswith(
        f"{small_disk}/checkpoints: the checkpoint of step 20 could not be written: "
        "No space left on device (4,194,306 bytes needed, "
    )
    assert raised.value.hint == (
        "the checkpoint of step 10 is intact; free space there or give the job a store on a "
        "larger disk, then run the same job again"
    )
    assert names(small_disk / "checkpoints") == ["step-00000010"]
    newest = checkpoints.newest()
    assert newest
    assert torch.equal(checkpoints.load(newest)[0]["weight"], SMALL["weight"])


def test_the_next_save_tells_of_the_failure_and_the_one_after_it_works(small_disk: Path) -> None:
    checkpoints = Checkpoints(small_disk / "checkpoints", keep=2)
    checkpoints.save(LARGE, {}, step=10)
    with pytest.raises(StoreError, match="step 10 could not be written"):
        checkpoints.save(SMALL, {}, step=20)
    checkpoints.save(SMALL, {}, step=20)
    checkpoints.wait()
    assert names(small_disk / "checkpoints") == ["step-00000020"]


def test_a_best_model_that_does_not_fit_keeps_the_best_before_it(small_disk: Path) -> None:
    checkpoints = Checkpoints(small_disk / "checkpoints", keep=2)
    checkpoints.save_best(SMALL, {}, step=10)
    checkpoints.save_best(LARGE, {}, step=20)
    with pytest.raises(StoreError, match="no earlier checkpoint is there"):
        checkpoints.wait()
    assert names(small_disk / "checkpoints") == ["best-step-00000010"]


def test_a_disk_mounted_read_only_is_named_and_can_still_be_read(small_disk: Path) -> None:
    root = small_disk / "checkpoints"
    before = Checkpoints(root, keep=2)
    before.save(SMALL, {}, step=10)
    before.wait()
    mount("-o", "remount,ro", str(small_disk))
    checkpoints = Checkpoints(root, keep=2)
    checkpoints.save(SMALL, {}, step=20)
    with pytest.raises(StoreError) as raised:
        checkpoints.wait()
    assert raised.value.message.startswith(
        f"{root}/.lock: the checkpoint of step 20 could not be written: Read-only file system"
    )
    assert raised.value.hint == (
        "the checkpoint of step 10 is intact; it is mounted read-only: mount it for writing or "
        "give the job another store, then run the same job again"
    )
    newest = checkpoints.newest()
    assert newest
    assert newest.step == 10


AS_NOBODY = """
import os, sys
from pathlib import Path
import torch
from graft_api.errors import StoreError
from graft_worker.checkpoint.store import Checkpoints
os.setuid(int(sys.argv[2]))  # only now: this user may not even read the installation
checkpoints = Checkpoints(Path(sys.argv[1]), keep=1)
try:
    checkpoints.save({}, {}, step=20)
    checkpoints.wait()
except StoreError as error:
    print(error)
"""


def test_a_folder_that_the_user_may_not_write_is_named_with_the_user(tmp_path: Path) -> None:
    root = tmp_path / "checkpoints"
    before = Checkpoints(root, keep=1)
    before.save({}, {}, step=10)
    before.wait()
    root.chmod(0o555)
    for folder in (tmp_path, *tmp_path.parents[:3]):  # pytest keeps its folders to itself
        folder.chmod(folder.stat().st_mode | 0o055)
    user = 65534 if os.geteuid() == 0 else os.geteuid()  # root may write anywhere
    (root / ".lock").chmod(0o444)
    ended = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(root), str(user)],
        capture_output=True,
        text=True,
        check=True,
    )
    root.chmod(0o755)
    message, hint = ended.stdout.splitlines()
    assert message.startswith(
        f"{root}/.lock: the checkpoint of step 20 could not be written: Permission denied"
    )
    assert hint == (
        f"  the checkpoint of step 10 is intact; let user id {user} write there or give the job "
        "another store, then run the same job again"
    )
    assert names(root) == ["step-00000010"]

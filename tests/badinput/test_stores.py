"""Stores that take no more, that are in use or another's: nothing saved before is lost."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
from pathlib import Path

import pytest

from tests.badinput.desk import MODEL, Desk, refused, saved, unwhole
from tests.badinput.disks import mounted, remount

FINISHED = ("--set", "metadata.name=finished")
# a checkpoint of this model takes about 21 MiB
LARGER = "{config: {architecture: bert, layers: 2, hidden: 256, heads: 2}}"


def test_another_job_of_the_same_name_is_refused(used_desk: Desk) -> None:
    result = used_desk.run(*FINISHED, "--set", "training.seed=7")
    words = ("other settings", "spec.training.seed: stored 42, now 7", "another metadata.name")
    refused(used_desk, result, *words)


def test_a_job_that_is_at_work_is_left_alone(used_desk: Desk) -> None:
    (lock,) = used_desk.store.glob("jobs/*/finished-*/.lock")
    with lock.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(f"{os.getpid()} {os.getpid()}")
        file.flush()
        result = used_desk.run(*FINISHED)
    refused(used_desk, result, f"process {os.getpid()} is at work on this job", "wait for it")


def test_a_port_in_use_is_told(used_desk: Desk) -> None:
    with socket.create_server(("", 0)) as server:
        port = str(server.getsockname()[1])
        result = used_desk.run("--metrics-port", port)
    refused(used_desk, result, f"--metrics-port {port}: ", "in use", "another port, or 0")
    assert not list(used_desk.store.glob("jobs/*/tiny-*"))


def test_a_file_for_a_store_is_told(used_desk: Desk) -> None:
    result = used_desk.graft("run", "job.yaml", "--store", "train.tsv")
    refused(used_desk, result, "store train.tsv: ", "not a folder", "--store")


def test_a_job_record_that_is_damaged_is_told(used_desk: Desk) -> None:
    (record,) = used_desk.store.glob("jobs/*/finished-*/job.json")
    record.write_text("{")
    desk = used_desk.with_store(used_desk.store)
    refused(desk, desk.run(*FINISHED), "job.json: cannot be read", "another --store")


def test_a_read_only_store_is_told(used_desk: Desk, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=100m") as disk:
        shutil.copytree(used_desk.store, disk, dirs_exist_ok=True)
        remount(disk, "ro")
        desk = used_desk.with_store(disk)
        assert desk.before
        words = (f"store {disk}: cannot be written: Read-only file system", "--store")
        refused(desk, desk.run(), *words)


def test_a_full_store_is_told_before_anything_starts(used_desk: Desk, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=1m") as disk:
        desk = used_desk.with_store(disk)
        refused(desk, desk.run(), f"store {disk}: ", "MiB free, 64 MiB needed", "free some space")
        assert list(disk.iterdir()) == []


def test_no_space_for_shards_is_told(used_desk: Desk, tmp_path: Path) -> None:
    # sixteen files and folders are enough to begin, and too few for the shards
    with mounted(tmp_path / "disk", "size=100m,nr_inodes=16") as disk:
        desk = used_desk.with_store(disk)
        words = ("prepare failed: ", "No space left on device", f"{disk}/cache")
        refused(desk, desk.run(), *words, code=1)
        assert not list(disk.glob("cache/*"))
        remount(disk, "nr_inodes=400")
        again = desk.run()
        assert again.returncode == 0, again.stderr


@pytest.fixture
def filling(used_desk: Desk) -> Desk:
    """A job that saves at each of its 8 steps and keeps more than 70 MiB can hold."""
    used_desk.job(
        (MODEL, LARGER),
        ("epochs: 1", "steps: 8"),
        ("  training:", "  checkpoint: {every: {steps: 1}, keep: 6}\n  training:"),
    )
    return used_desk


def test_a_disk_that_fills_up_keeps_the_checkpoints(filling: Desk, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=72m") as disk:
        desk = filling.with_store(disk)
        result = desk.run()
        told = result.stderr
        assert (result.returncode, told.count("error: ")) == (1, 1), told
        assert "No space left on device" in told
        intact = re.search(r"the checkpoint of step (\d+) is intact; free space", told)
        assert intact, told
        kept = saved(disk)
        assert any(f"step-{int(intact[1]):08}/" in name for name in kept)
        assert (unwhole(disk), list(disk.glob("artefacts/*"))) == ([], [])
        refused_for_room(desk, kept)
        remount(disk, "size=600m")
        again = desk.run()
        assert f"from the checkpoint of step {intact[1]}\n" in again.stderr
        assert again.returncode == 0, again.stderr


def refused_for_room(desk: Desk, kept: dict[str, bytes]) -> None:
    """Without room the job is not even begun, and keeps what it has."""
    result = desk.run()
    assert result.returncode == 2
    assert "64 MiB needed" in result.stderr
    assert saved(desk.store) == kept

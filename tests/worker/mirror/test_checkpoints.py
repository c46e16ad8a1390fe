"""Checkpoints in a bucket: when they count, which is taken, and what machines see of each other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from graft_api.errors import StoreError
from graft_worker.checkpoint.copies import Copies
from graft_worker.checkpoint.mirrored import MirroredCheckpoints
from graft_worker.mirror.bucket import Bucket
from tests.worker.mirror.buckets import Server

KEY = "jobs/transferjob/reviews-1/checkpoints"


def state(step: int) -> dict[str, Tensor]:
    return {"a": torch.full((1000,), float(step)), "b": torch.arange(5)}


class Job:
    """A job's place in the bucket, seen from machines of its gang."""

    def __init__(self, server: Server, folder: Path, name: str) -> None:
        self.copies = Copies(Bucket(f"s3://models/{name}"), KEY)
        self.objects = server.folder / name / KEY
        self._folder = folder

    def machine(self, name: str, *, keep: int = 2) -> MirroredCheckpoints:
        return MirroredCheckpoints(self._folder / name, self.copies, keep=keep)

    def names(self) -> list[str]:
        """The copies in the bucket without what tells writers apart."""
        return sorted(path.name.partition(".")[0] for path in self.objects.iterdir())

    def copy(self, step: int) -> Path:
        (found,) = self.objects.glob(f"step-{step:08d}.*")
        return found


@pytest.fixture
def job(keys: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Job:
    return Job(keys, tmp_path, request.node.name)


def saved(machine: MirroredCheckpoints, *steps: int) -> MirroredCheckpoints:
    for step in steps:
        machine.save(state(step), {"step": step}, step=step)
        machine.wait()
    return machine


def loaded(machine: MirroredCheckpoints) -> int | None:
    """The step of the newest checkpoint, whose content is as it was saved."""
    found = machine.newest()
    if found is None:
        return None
    tensors, values = machine.load(found)
    assert torch.equal(tensors["a"], state(found.step)["a"])
    assert values == {"step": found.step}
    return found.step


def test_another_machine_finds_what_one_has_saved(job: Job) -> None:
    first = saved(job.machine("a"), 20, 40)
    assert loaded(job.machine("b")) == 40
    done = first.saved
    assert done
    assert done.step == 40
    assert done.copy == job.copy(40).name
    assert first.address(done).endswith(f"/{KEY}/step-00000040")
    assert loaded(job.machine("c")) == 40


def test_nothing_is_found_where_nothing_was_saved(job: Job) -> None:
    machine = job.machine("a")
    assert (machine.newest(), machine.best(), machine.saved) == (None, None, None)


def test_so_many_stay_in_the_bucket_and_one_on_the_machine(job: Job, tmp_path: Path) -> None:
    saved(job.machine("a", keep=2), 20, 40, 60)
    assert job.names() == ["step-00000040", "step-00000060"]
    assert [path.name for path in (tmp_path / "a").glob("[!.]*")] == ["step-00000060"]


def test_only_the_best_that_was_saved_last_stays(job: Job) -> None:
    machine = saved(job.machine("a"), 20)
    for step in (60, 40):  # a resumed run may find its best at an earlier step
        machine.save_best(state(step), {"step": step}, step=step)
        machine.wait()
    assert job.names() == ["best-step-00000040", "step-00000020"]
    other = job.machine("b")
    best = other.best()
    assert best
    assert best.step == 40
    assert other.load(best)[1] == {"step": 40}


HARM: dict[str, Callable[[Path], object]] = {
    "its manifest never came": lambda copy: (copy / "manifest.json").unlink(),
    "a file never came": lambda copy: (copy / "state.safetensors").unlink(),
    "a file is cut": lambda copy: (copy / "state.safetensors").write_bytes(b"half"),
    "a bit is wrong": lambda copy: flip(copy / "state.safetensors"),
    "the manifest is no manifest": lambda copy: (copy / "manifest.json").write_bytes(b"{"),
    "the manifest is another's": lambda copy: rename_in(copy / "manifest.json"),
}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def rename_in(path: Path) -> None:
    path.write_text(path.read_text().replace("values.json", "../values.json"))


@pytest.mark.parametrize("harm", HARM)
def test_a_half_or_damaged_one_is_named_and_the_one_before_it_taken(
    keys: Server, tmp_path: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    job = Job(keys, tmp_path, f"harm-{len(harm)}-{harm[0]}")
    saved(job.machine("a"), 20, 40)
    broken = job.copy(40)
    HARM[harm](broken)
    with caplog.at_level(logging.WARNING):
        assert loaded(job.machine("b")) == 20
    assert broken.name in caplog.text
    assert not list(tmp_path.glob("values.json"))


def test_what_a_dead_writer_left_half_goes_with_the_next_save(job: Job) -> None:
    saved(job.machine("a"), 20, 40)
    (job.copy(40) / "manifest.json").unlink()
    resumed = job.machine("b")
    assert loaded(resumed) == 20
    saved(resumed, 40)
    assert job.names() == ["step-00000020", "step-00000040"]
    assert loaded(job.machine("c")) == 40


def test_what_did_not_reach_the_bucket_does_not_count(job: Job, tmp_path: Path) -> None:
    first = saved(job.machine("a"), 20)
    # Written on this machine by a rank 0 that was killed before it could be sent.
    saved(Job.machine(job, "a"), 40)
    for file in job.copy(40).iterdir():
        file.unlink()
    assert (tmp_path / "a" / "step-00000040").is_dir()
    assert loaded(first) == 20
    assert not (tmp_path / "a" / "step-00000040").exists()


def test_a_folder_of_the_same_step_by_another_writer_is_not_taken_for_the_copy(job: Job) -> None:
    other = job.machine("b")
    saved(other, 20)
    lost = job.copy(20)
    for file in lost.iterdir():
        file.unlink()
    lost.rmdir()
    machine = job.machine("a")
    machine.save({"a": torch.ones(3)}, {"by": "a"}, step=20)
    machine.wait()
    found = other.newest()
    assert found
    assert other.load(found)[1] == {"by": "a"}


def test_every_process_of_a_gang_loads_what_rank_0_found(job: Job) -> None:
    saved(job.machine("a"), 20)
    found = job.machine("b").newest()
    assert found
    values = []

    def load() -> None:
        values.append(job.machine("c").load(found)[1])

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [{"step": 20}] * 4


def test_training_goes_on_while_a_silent_bucket_is_waited_for(
    job: Job, keys: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine = saved(job.machine("a"), 20)
    with keys.silent():
        # Each save waits until the one before it is on the disk and offered to the bucket.
        for step in (40, 60, 80, 100):
            machine.save(state(step), {"step": step}, step=step)
        done = machine.saved
        assert done
        assert done.step == 20
    machine.wait()
    assert machine.saved
    assert machine.saved.step == 100
    # One at most was under way; of those that waited only the newest was kept.
    assert "is not copied: a newer one is there already" in caplog.text
    assert job.names()[-1] == "step-00000100"
    assert list((tmp_path / "a").glob(".upload-*")) == []


def test_a_copy_that_fails_ends_the_next_save(job: Job, keys: Server) -> None:
    machine = saved(job.machine("a"), 20)
    bucket = keys.folder.rename(keys.root / "away")
    try:
        machine.save(state(40), {"step": 40}, step=40)
        with pytest.raises(StoreError, match="there is no bucket models"):
            machine.wait()
        with pytest.raises(StoreError, match="there is no bucket models"):
            machine.save(state(60), {"step": 60}, step=60)
        assert machine.saved
        assert machine.saved.step == 20
    finally:
        bucket.rename(keys.folder)
    assert loaded(job.machine("b")) == 20

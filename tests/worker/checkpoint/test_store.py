from __future__ import annotations

import errno
import json
import math
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from graft_worker.checkpoint import failures, folders, tensors
from graft_worker.checkpoint.store import Checkpoint, Checkpoints
from tests.worker.checkpoint.saving import NOON, newest_step, saved, store, visible

STATE = {
    "matrix": torch.arange(12, dtype=torch.float32).reshape(3, 4),
    "scalar": torch.tensor(7),
    "flag": torch.tensor([True, False]),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "double": torch.tensor([math.pi], dtype=torch.float64),
    "bytes": torch.arange(5, dtype=torch.uint8),
    "empty": torch.zeros(0, 3),
    "transposed": torch.arange(6.0).reshape(2, 3).t(),
    "slice": torch.arange(10, dtype=torch.int64)[3::2],
}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    types = [{name: tensor.dtype for name, tensor in state.items()} for state in (left, right)]
    return types[0] == types[1] and all(torch.equal(left[name], right[name]) for name in left)


def test_tensors_and_values_come_back_to_the_bit(tmp_path: Path) -> None:
    values = {"best": -math.inf, "history": [0.1, 1e-300, None], "name": "模型", "nested": {"n": 1}}
    checkpoints = store(tmp_path)
    checkpoints.save(STATE, values, step=5)
    checkpoints.wait()
    newest, folder = checkpoints.newest(), tmp_path / "step-00000005"
    assert newest == replace(checkpoints.saved, seconds=0.0)  # how long it took is not on disk
    assert newest == Checkpoint(
        step=5,
        path=folder,
        bytes=sum((folder / name).stat().st_size for name in ("state.safetensors", "values.json")),
        time="2025-01-02T12:00:00.000+00:00",
    )
    state, loaded = checkpoints.load(newest)
    assert same(state, STATE)
    assert loaded == values


def test_the_library_reads_what_is_written(tmp_path: Path) -> None:
    store(tmp_path).save(STATE, {}, step=1)
    other = store(tmp_path)
    other.save(STATE, {}, step=2)
    other.wait()
    assert same(load_file(tmp_path / "step-00000002" / "state.safetensors"), STATE)


def test_nan_and_infinity_are_kept_in_strict_json(tmp_path: Path) -> None:
    checkpoints = store(tmp_path)
    checkpoints.save({}, {"loss": math.nan, "bounds": (math.inf, 1.5)}, step=1)
    checkpoints.wait()
    folder = tmp_path / "step-00000001"
    text = (folder / "values.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {
        "loss": {"$float": "nan"},
        "bounds": [{"$float": "inf"}, 1.5],
    }
    newest = checkpoints.newest()
    assert newest
    _, values = checkpoints.load(newest)
    assert math.isnan(values["loss"])
    assert values["bounds"] == [math.inf, 1.5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(
            {"rng": {"state": torch.zeros(1)}},
            "values.rng.state: Tensor is no JSON value; tensors stand among the tensors",
            id="a tensor among the values is refused by its place",
        ),
        pytest.param(
            {"seen": [{1: "a"}]},
            "values.seen[0]: the key 1 is no string and would come back as one",
            id="a key that JSON would turn into a string is refused",
        ),
    ],
)
def test_values_that_json_would_change_are_refused(
    tmp_path: Path, values: dict[str, object], message: str
) -> None:
    with pytest.raises(TypeError) as raised:
        store(tmp_path).save({}, values, step=1)
    assert str(raised.value) == message
    assert list(tmp_path.iterdir()) == []


def test_later_changes_of_tensors_and_values_are_not_saved(tmp_path: Path) -> None:
    checkpoints = store(tmp_path)
    weight, history = torch.ones(200_000), [1]
    for step in (1, 2, 3):
        weight.fill_(step)
        checkpoints.save({"weight": weight}, {"history": history}, step=step)
        weight.fill_(-1.0)
        history.append(step)
    checkpoints.wait()
    newest = checkpoints.newest()
    assert newest
    state, values = checkpoints.load(newest)
    assert torch.equal(state["weight"], torch.full((200_000,), 3.0))
    assert values == {"history": [1, 1, 2]}


def test_loaded_tensors_can_be_changed_without_changing_the_file(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 4)
    newest = checkpoints.newest()
    assert newest
    checkpoints.load(newest)[0]["weight"].add_(1.0)
    assert torch.equal(checkpoints.load(newest)[0]["weight"], torch.full((100,), 4.0))
    assert newest_step(tmp_path) == 4


def test_a_large_state_is_split_and_put_together_again(tmp_path: Path) -> None:
    entries = tensors.write(tmp_path, {n: t.contiguous() for n, t in STATE.items()}, split=50)
    assert sorted(entries) == [f"state-{i:05d}-of-00003.safetensors" for i in (1, 2, 3)]
    assert same(tensors.read(tmp_path / name for name in entries), STATE)


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    checkpoints = store(tmp_path, keep=2)
    for step in (10, 20, 30, 40):
        checkpoints.save({}, {}, step=step)
        if step in (20, 30):
            checkpoints.save_best({}, {"score": step}, step=step)
    checkpoints.wait()
    assert visible(tmp_path) == ["best-step-00000030", "step-00000030", "step-00000040"]
    best = checkpoints.best()
    assert best
    assert checkpoints.load(best)[1] == {"score": 30}


def test_the_best_is_the_one_that_was_saved_last_not_the_one_of_the_highest_step(
    tmp_path: Path,
) -> None:
    later = Checkpoints(tmp_path, keep=1, clock=lambda: NOON.replace(hour=13))
    saved(tmp_path / "other", 1).wait()
    abandoned = store(tmp_path)
    abandoned.save_best({}, {"from": "an abandoned future"}, step=90)
    abandoned.wait()
    other = Checkpoints(tmp_path / "other", keep=1, clock=lambda: NOON.replace(hour=13))
    other.save_best({}, {"from": "the lineage that goes on"}, step=60)
    other.wait()
    (tmp_path / "other" / "best-step-00000060").rename(tmp_path / "best-step-00000060")
    best = later.best()
    assert best
    assert later.load(best)[1] == {"from": "the lineage that goes on"}


def test_nothing_is_found_where_nothing_was_saved(tmp_path: Path) -> None:
    checkpoints = store(tmp_path / "absent")
    assert (checkpoints.newest(), checkpoints.best(), checkpoints.saved) == (None, None, None)


def test_steps_of_nine_digits_are_newer_than_those_of_eight(tmp_path: Path) -> None:
    saved(tmp_path, 99_999_999, 100_000_000)
    assert newest_step(tmp_path) == 100_000_000


def test_a_whole_checkpoint_of_the_same_step_stays_as_it_is(tmp_path: Path) -> None:
    saved(tmp_path, 10)
    before = (tmp_path / "step-00000010").stat().st_ino
    saved(tmp_path, 10)
    assert (tmp_path / "step-00000010").stat().st_ino == before
    assert visible(tmp_path) == ["step-00000010"]


def test_left_overs_of_a_dead_writer_go_with_the_next_save_and_nothing_else(
    tmp_path: Path,
) -> None:
    for name in (".step-00000007.0123abcd", ".best-step-00000007.0123abcd", ".mine", "notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.safetensors").write_bytes(b"half")
    saved(tmp_path, 10)
    assert visible(tmp_path) == [".mine", "notes", "step-00000010"]


def test_what_a_living_writer_has_begun_stays(tmp_path: Path) -> None:
    final = folders.folder(tmp_path, kind="step", step=20)
    with folders.writing(tmp_path), folders.hidden(final) as begun:
        saved(tmp_path, 10)
        assert begun.exists()
        folders.publish(begun, final=final)
    assert visible(tmp_path) == ["step-00000010", "step-00000020"]


def test_two_writers_of_the_same_steps_leave_whole_checkpoints_only(tmp_path: Path) -> None:
    steps = range(1, 21)
    writers = [threading.Thread(target=saved, args=(tmp_path, *steps)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert newest_step(tmp_path) == 20
    left = [folder for folder in folders.listed(tmp_path, kind="step") if folder.fault()]
    assert left == []
    assert [name for name in visible(tmp_path) if name.startswith(".")] == []


def test_keeping_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep=0: at least one checkpoint is kept"):
        Checkpoints(tmp_path, keep=0)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        pytest.param(
            errno.EDQUOT,
            "the checkpoint of step 10 is intact; the quota is used up: remove what is not needed "
            "or ask for a larger one, then run the same job again",
            id="a used-up quota says so",
        ),
        pytest.param(
            errno.EIO,
            "the checkpoint of step 10 is intact; check the disk or the network storage behind it, "
            "then run the same job again",
            id="a failing disk says so",
        ),
    ],
)
def test_a_failure_says_what_is_safe_and_what_to_do(tmp_path: Path, number: int, hint: str) -> None:
    error = failures.explained(
        OSError(number, os.strerror(number)),
        save=failures.Attempted(root=tmp_path, step=20, bytes=1_234_567, intact=10),
    )
    assert error.hint == hint
    assert error.message.startswith(
        f"{tmp_path}: the checkpoint of step 20 could not be written: {os.strerror(number)} "
        "(1,234,567 bytes needed, "
    )
    assert error.message.endswith(" free)")

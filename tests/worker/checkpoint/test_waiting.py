"""A checkpoint and the best model beside each other, while the disk does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from graft_api.errors import StoreError
from graft_worker.checkpoint.store import Checkpoint, Checkpoints
from tests.worker.checkpoint.saving import held, saved, visible

ORDERS = (("save", "save_best"), ("save_best", "save"))
FOLDERS = {"save": "step-00000020", "save_best": "best-step-00000020"}


def held_in(checkpoints: Checkpoints, found: Checkpoint | None) -> tuple[str, list[float], object]:
    """The name of a whole checkpoint and what it holds."""
    assert found is not None
    tensors, values = checkpoints.load(found)
    return found.path.name, tensors["weight"].tolist(), values


@pytest.mark.timeout(60)
@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_both_return_before_either_is_written_and_hold_what_they_were_given(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    checkpoints, weight = saved(tmp_path, 10), torch.zeros(3)
    with held(tmp_path):
        for number, kind in enumerate(order):
            getattr(checkpoints, kind)({"weight": weight.fill_(number)}, {"in": number}, step=20)
        weight.fill_(-1.0)
        assert visible(tmp_path) == ["step-00000010"]
    checkpoints.wait()
    assert visible(tmp_path) == ["best-step-00000020", "step-00000010", "step-00000020"]
    found = {"save": checkpoints.newest(), "save_best": checkpoints.best()}
    for number, kind in enumerate(order):
        expected = (FOLDERS[kind], [float(number)] * 3, {"in": number})
        assert held_in(checkpoints, found[kind]) == expected


@pytest.mark.timeout(60)
@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_what_waits_behind_a_failure_is_not_written_and_the_next_save_tells(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    """A checkpoint knows which model is the best: it must not outlive it."""
    checkpoints = saved(tmp_path, 10)
    first, second = (getattr(checkpoints, kind) for kind in order)
    in_the_way = tmp_path / FOLDERS[order[0]]
    in_the_way.write_text("a file")
    with held(tmp_path):
        first({}, {}, step=20)
        second({}, {}, step=20)
    with pytest.raises(StoreError, match="step 20 could not be written: Not a directory"):
        first({}, {}, step=30)
    assert visible(tmp_path) == sorted([in_the_way.name, "step-00000010"])
    in_the_way.unlink()
    for kind in order:
        getattr(checkpoints, kind)({}, {}, step=30)
    checkpoints.wait()
    assert visible(tmp_path) == ["best-step-00000030", "step-00000010", "step-00000030"]


@pytest.mark.timeout(60)
def test_waiting_tells_of_the_first_failure_when_nothing_is_being_written_any_more(
    tmp_path: Path,
) -> None:
    checkpoints = saved(tmp_path, 10)
    (tmp_path / FOLDERS["save_best"]).write_text("a file")
    with held(tmp_path):
        checkpoints.save({}, {}, step=20)
        checkpoints.save_best({}, {}, step=20)
    with pytest.raises(StoreError) as raised:
        checkpoints.wait()
    assert raised.value.hint is not None
    assert raised.value.hint.startswith("the checkpoint of step 20 is intact; ")
    checkpoints.wait()
    assert visible(tmp_path) == ["best-step-00000020", "step-00000010", "step-00000020"]

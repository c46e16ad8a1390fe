"""What is chosen for the machine: precision and micro-batch."""

from __future__ import annotations

import pytest
import torch

from graft_api.errors import ConfigError
from graft_worker.distributed.process import CPU, Process
from graft_worker.train import micro_batch, precision, rehearsal
from graft_worker.train.precision import Precision
from tests.worker.train import tiny


@pytest.mark.parametrize(
    ("global_batch", "world", "most", "expected"),
    [
        pytest.param(32, 1, 100, 32, id="everything at once where it fits"),
        pytest.param(32, 2, 100, 16, id="an equal share for each process"),
        pytest.param(32, 1, 20, 16, id="equal portions rather than twenty and twelve"),
        pytest.param(7, 2, 100, 4, id="shares are rounded up"),
        pytest.param(32, 64, 100, 1, id="more processes than sequences"),
    ],
)
def test_portions(global_batch: int, world: int, most: int, expected: int) -> None:
    assert micro_batch.portion(global_batch, world, most) == expected


def test_activations_take_three_fifths_of_what_the_state_leaves() -> None:
    assert micro_batch.fitting(10.0, free=1_100, state=100) == 60


def test_one_sequence_is_tried_even_where_none_fits() -> None:
    assert micro_batch.fitting(10.0, free=50, state=100) == 1


def test_the_probe_gives_the_largest_share_on_an_empty_machine() -> None:
    module, usual = torch.nn.Linear(2, 2), micro_batch.Sequence(bytes=1.0, tokens=1)
    assert micro_batch.probe(usual, module, Process(), global_batch=12, world=3) == 4


def test_a_cpu_takes_no_more_than_its_caches_like() -> None:
    module, usual = torch.nn.Linear(2, 2), micro_batch.Sequence(bytes=1.0, tokens=128)
    assert micro_batch.probe(usual, module, Process(), global_batch=64, world=1) == 16


def rehearsed(sequences: int) -> rehearsal.Rehearsal:
    task = tiny.TinyTask()
    batch = next(iter(tiny.feed(sequences).steps(0, 1))).micro_batches[0].batch
    found = rehearsal.rehearse(task, batch, Precision(name="fp32", device=CPU))
    assert all(p.grad is None for p in task.module.parameters())
    return found


def test_saved_bytes_grow_with_the_batch_and_leave_out_weights() -> None:
    few, many = rehearsed(10).saved, rehearsed(100).saved
    weights = sum(p.nbytes for p in tiny.Classifier().parameters())
    assert few < weights < many < 100 * few


def test_a_parameter_without_a_gradient_is_noticed() -> None:
    task = tiny.TinyTask()
    assert not rehearsed(4).unused
    task.module.register_parameter("idle", torch.nn.Parameter(torch.zeros(1)))
    batch = tiny.feed(4).longest(2)
    assert rehearsal.rehearse(task, batch, Precision(name="fp32", device=CPU)).unused


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        pytest.param(2.0, "bf16", id="twice as fast is chosen"),
        pytest.param(1.1, "fp32", id="a tenth faster is lost to casts"),
        pytest.param(0.2, "fp32", id="slower is not chosen"),
    ],
)
def test_auto_takes_bf16_on_a_cpu_only_where_it_is_clearly_faster(
    ratio: float, expected: str
) -> None:
    seconds = {torch.float32: ratio, torch.bfloat16: 1.0}
    assert precision.choose("auto", CPU, seconds_of=seconds.__getitem__).name == expected


def test_the_probe_itself_chooses_one_of_the_two() -> None:
    assert precision.choose("auto", CPU).name in ("fp32", "bf16")


def test_fp16_is_refused_on_a_cpu() -> None:
    with pytest.raises(ConfigError, match=r"training\.precision: fp16 needs a GPU"):
        precision.choose("fp16", CPU)


def test_bf16_computes_in_bf16_over_fp32_weights() -> None:
    linear = torch.nn.Linear(2, 2)
    with Precision(name="bf16", device=CPU).autocast():
        assert linear(torch.ones(1, 2)).dtype == torch.bfloat16
    assert linear.weight.dtype == torch.float32

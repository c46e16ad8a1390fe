"""One process training: accumulation, evaluation, the best weights, early ends, broken losses."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from graft_api.errors import ConfigError, GraftError, Stopped, StoreError
from graft_api.progress import ProgressReport
from graft_api.run import Checkpoint, CheckpointInterval
from graft_api.training import EarlyStopping, Evaluate, EvaluationInterval, Length, Optimizer
from graft_worker.checkpoint.store import Checkpoints
from graft_worker.data.batch import Batch
from graft_worker.distributed.process import Process
from graft_worker.train.run import Run
from tests.worker.train import scenarios, tiny

ALONE = Process()
EVERY_STEP = EvaluationInterval(steps=1)


def test_five_micro_batches_of_two_equal_one_of_ten(tmp_path: Path) -> None:
    small = scenarios.trained(tmp_path / "a", ALONE, training=tiny.training(micro_batch=2))
    large = scenarios.trained(tmp_path / "b", ALONE, training=tiny.training(micro_batch=10))
    np.testing.assert_allclose(small.losses, large.losses, atol=1e-5, rtol=0)
    assert scenarios.close(small.weights, large.weights) < 1e-5


def test_the_same_seed_gives_the_same_weights_to_the_bit_and_another_seed_others(
    tmp_path: Path,
) -> None:
    first, again, other = (
        scenarios.trained(tmp_path / name, ALONE, training=tiny.training(seed=seed))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert scenarios.close(first.weights, again.weights) == 0.0
    assert scenarios.close(first.weights, other.weights) > 0.0


def test_the_loss_falls_and_the_rate_follows_the_schedule(tmp_path: Path) -> None:
    wishes = tiny.training(duration=Length(epochs=10))
    outcome = tiny.train(tmp_path, ALONE, training=wishes)
    assert outcome.result.total_steps == len(outcome.curve.losses) == 120
    assert np.mean(outcome.curve.losses[-12:]) < 0.5 * np.mean(outcome.curve.losses[:12])
    expected = [0.01 * (s + 1) / 13 for s in range(12)]
    expected += [0.01 * (1 - (s - 12) / 108) for s in range(12, 120)]
    assert outcome.curve.rates == pytest.approx(expected)


def test_clipping_bounds_the_step_and_zero_turns_it_off(tmp_path: Path) -> None:
    def moved(clip: float) -> float:
        wishes = tiny.training(
            duration=Length(steps=1),
            gradient_clip=clip,
            optimizer=Optimizer(name="sgd", learning_rate=1.0, weight_decay=0.0, momentum=0.0),
            schedule={"name": "constant", "warmup": 0.0},
        )
        before = scenarios.weights(dict(tiny.Classifier().state_dict()))
        after = scenarios.trained(tmp_path / str(clip), ALONE, training=wishes).weights
        return float(np.sqrt(sum(np.square(after[n] - before[n]).sum() for n in before)))

    assert moved(0.001) == pytest.approx(0.001, rel=1e-3)
    assert moved(0.0) > 0.1


@dataclass
class Measured:
    """Keeps the weights that every evaluation saw."""

    name: str = "measured"
    weights: list[scenarios.Weights] = field(default_factory=list)

    def after_evaluation(self, run: Run, metrics: dict[str, float]) -> None:
        self.weights.append(scenarios.weights(dict(run.sharded.module.state_dict())))


@dataclass
class ScriptedTask(tiny.TinyTask):
    """Measures what the script says."""

    script: list[float] = field(default_factory=list)

    def metrics(self, logits: Tensor, targets: Tensor) -> dict[str, float]:
        return {"accuracy": self.script.pop(0)}


def scripted(root: Path, script: tuple[float, ...], **wishes: Any) -> tuple[Any, Measured]:
    measured = Measured()
    outcome = tiny.train(
        root,
        ALONE,
        extra=(measured,),
        task=ScriptedTask(script=list(script)),
        validation=tiny.shards(10, seed=1),
        training=tiny.training(
            duration=Length(steps=len(script)), evaluate=Evaluate(every=EVERY_STEP, **wishes)
        ),
    )
    return outcome.result, measured


def test_the_final_weights_are_the_best_ones(tmp_path: Path) -> None:
    result, measured = scripted(tmp_path, (0.1, 0.9, 0.5, 0.9))
    assert (result.step, result.best_step) == (4, 2)
    assert result.spent["evaluating"] > 0
    assert result.best_metrics["accuracy"] == result.metrics["accuracy"] == 0.9
    assert scenarios.close(scenarios.weights(result.weights), measured.weights[1]) == 0.0


def test_without_keep_best_the_final_weights_are_the_last_ones(tmp_path: Path) -> None:
    result, measured = scripted(tmp_path, (0.1, 0.9, 0.5), keep_best=False)
    assert (result.best_step, result.metrics["accuracy"]) == (2, 0.5)
    assert scenarios.close(scenarios.weights(result.weights), measured.weights[2]) == 0.0


def test_a_metric_that_is_undefined_is_never_the_best(tmp_path: Path) -> None:
    result, _ = scripted(tmp_path, (float("nan"), 0.2, float("nan")))
    assert (result.best_step, result.metrics["accuracy"]) == (2, 0.2)


@pytest.mark.parametrize(
    ("script", "min_delta", "step"),
    [
        pytest.param((0.5, 0.4, 0.4, 0.9, 0.9), 0.0, 3, id="two evaluations without improvement"),
        pytest.param((0.5, 0.4, 0.6, 0.5, 0.5), 0.0, 5, id="an improvement starts the count anew"),
        pytest.param((0.5, 0.55, 0.58, 0.9), 0.1, 3, id="an improvement below minDelta is none"),
    ],
)
def test_early_stopping(
    tmp_path: Path, script: tuple[float, ...], min_delta: float, step: int
) -> None:
    spec = EarlyStopping(patience=2, min_delta=min_delta)
    result, _ = scripted(tmp_path, (*script, 1.0), early_stopping=spec)
    assert (result.step, result.stopped_early) == (step, True)


def test_a_run_that_ended_early_stays_ended_when_it_is_started_again(tmp_path: Path) -> None:
    spec = EarlyStopping(patience=1)
    script = (0.9, 0.1, 0.1, 0.1)
    first, _ = scripted(tmp_path, script, early_stopping=spec)
    again, measured = scripted(tmp_path, script, early_stopping=spec)
    assert (first.step, again.step, again.best_step, measured.weights) == (2, 2, 1, [])
    assert scenarios.close(scenarios.weights(first.weights), scenarios.weights(again.weights)) == 0


def test_a_metric_that_nobody_measures_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        tiny.train(tmp_path, ALONE, metric="f1", validation=tiny.shards(10))
    assert str(caught.value) == (
        "training.evaluate.metric: 'f1' is not measured\n  use one of accuracy, loss"
    )


def test_evaluation_covers_every_row_in_order_and_the_test_split_at_the_end(
    tmp_path: Path,
) -> None:
    seen: list[Tensor] = []

    class Noting(tiny.TinyTask):
        def metrics(self, logits: Tensor, targets: Tensor) -> dict[str, float]:
            seen.append(targets)
            return {"accuracy": 0.5}

    splits = {"validation": tiny.shards(300, seed=1), "test": tiny.shards(17, seed=2)}
    outcome = tiny.train(tmp_path, ALONE, task=Noting(), **splits)
    expected = [splits["validation"], splits["test"]]
    assert [t.tolist() for t in seen] == [s.per_example["target"].tolist() for s in expected]
    assert outcome.result.test_metrics["accuracy"] == 0.5


def broken_in(*steps: int) -> tiny.TinyTask:
    """A task whose loss is nan in these steps, counted from 0; a step is one micro-batch."""
    count = iter(range(-1, 1000))  # the rehearsal comes before step 0

    def spoil(loss: Tensor, batch: Batch) -> Tensor:
        return loss * float("nan") if next(count) in steps else loss

    return tiny.TinyTask(spoiled=spoil)


WHOLE = {"training": tiny.training(micro_batch=10)}


def test_three_losses_in_a_row_that_are_not_finite_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(GraftError) as caught:
        tiny.train(tmp_path, ALONE, task=broken_in(4, 5, 6), **WHOLE)
    from graft_worker.data import order

    rows = ", ".join(str(r) for r in order.samples_at(42, 60, 10, tiny.ROWS)[1])
    assert caught.value.message == (
        f"step 7: loss or gradient is not finite for the 3rd time in a row (rows {rows})"
    )


def test_a_single_broken_step_is_skipped_and_leaves_the_weights_finite(tmp_path: Path) -> None:
    outcome = tiny.train(tmp_path, ALONE, task=broken_in(4, 5, 7), **WHOLE)
    broken = [i for i, loss in enumerate(outcome.curve.losses) if not np.isfinite(loss)]
    assert broken == [4, 5, 7]
    assert all(torch.isfinite(w).all() for w in outcome.result.weights.values())


def test_checkpoints_come_by_the_clock_of_the_surroundings(tmp_path: Path) -> None:
    ticks = iter(range(0, 100_000, 20))  # seconds, 20 between any two looks
    saved: list[int | None] = []

    class Noting:
        name = "noting"

        def after_step(self, run: Run) -> None:
            saved.append(run.saved_step)

    tiny.train(
        tmp_path,
        ALONE,
        extra=(Noting(),),
        saving=Checkpoint(every=CheckpointInterval(minutes=3)),
        clock=lambda: next(ticks),
    )
    assert len(saved) == 12
    assert 2 <= len({step for step in saved if step is not None}) <= 6


def test_a_checkpoint_of_another_seed_is_refused(tmp_path: Path) -> None:
    tiny.train(tmp_path, ALONE)
    with pytest.raises(StoreError, match="the checkpoint was made by another job"):
        tiny.train(tmp_path, ALONE, training=tiny.training(seed=7))


def test_a_finished_run_trains_no_more_and_gives_the_same_weights(tmp_path: Path) -> None:
    first = scenarios.trained(tmp_path, ALONE)
    again = scenarios.trained(tmp_path, ALONE)
    assert again.losses == []
    assert scenarios.close(first.weights, again.weights) == 0.0


def test_stopping_without_saving_says_what_is_saved(tmp_path: Path) -> None:
    answers = iter([False, False, True])
    with pytest.raises(Stopped) as caught:
        tiny.train(
            tmp_path,
            ALONE,
            saving=Checkpoint(every=CheckpointInterval(steps=2), on_signal=False),
            stop=lambda: next(answers),
        )
    assert caught.value.message == "stopped after step 3 of 12: the state of step 2 is saved"
    found = Checkpoints(tmp_path, keep=3).newest()
    assert found is not None
    assert found.step == 2


def test_reports_are_rare_but_follow_every_evaluation(tmp_path: Path) -> None:
    wishes = tiny.training(evaluate=Evaluate(every=EvaluationInterval(steps=6)))
    outcome = tiny.train(
        tmp_path,
        ALONE,
        training=wishes,
        validation=tiny.shards(10, seed=1),
        clock=lambda: 5.0,
        now=lambda: 0.0,
    )
    steps = [(r.step, sorted(r.metrics)) for r in outcome.reports]
    measured = ["accuracy", "loss"]
    assert steps == [(1, []), (6, measured), (12, measured), (12, measured), (12, measured)]
    last: ProgressReport = outcome.reports[-1]
    expected = {"total_steps": 12, "samples": 120, "epoch": 1.0, "remaining_seconds": 0.0}
    assert {name: getattr(last, name) for name in expected} == expected
    assert last.tokens == int(tiny.shards().lengths.sum())
    assert (last.time, last.checkpoint_step) == ("1970-01-01T00:00:00.000+00:00", 12)


def test_packed_rows_give_the_same_losses_where_a_row_holds_one_sequence(tmp_path: Path) -> None:
    narrow = {"training": tiny.training(micro_batch=1)}
    padded = scenarios.trained(tmp_path / "a", ALONE, packing=False, **narrow)
    packed = scenarios.trained(tmp_path / "b", ALONE, packing=True, **narrow)
    np.testing.assert_allclose(padded.losses, packed.losses, atol=1e-5, rtol=0)

"""Measures the validation split every so often and after the last step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graft_worker.train import durations

if TYPE_CHECKING:
    from graft_api.training import EvaluationInterval
    from graft_worker.data.shards import Shards
    from graft_worker.train.run import Run


class Evaluating:
    """Evaluates when an interval of steps or epochs is complete."""

    name = "evaluating"

    def __init__(self, every: EvaluationInterval, shards: Shards) -> None:
        self._every = every
        self._shards = shards

    def after_step(self, run: Run) -> None:
        """Evaluates where it is due; the metrics reach every callback."""
        feed = run.feed
        last = run.step >= run.total_steps
        if last or durations.due(
            self._every, run.step, rows=feed.shards.rows, global_batch=feed.global_batch
        ):
            clock = run.work.surroundings.clock
            began = clock()
            metrics = run.evaluator.metrics(self._shards)
            run.counters = run.counters.plus(evaluating=clock() - began)
            run.measured(metrics)

"""Remembers the best evaluation, keeps its weights and gives them back at the end."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graft_worker.distributed import full_state
from graft_worker.train import scores, state

if TYPE_CHECKING:
    from graft_worker.train.run import Run

log = logging.getLogger(__name__)


class Best:
    """The best evaluation so far by the job's metric. Stands after the callback that saves."""

    name = "best"

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self.step: int | None = None
        self.metrics: dict[str, float] = {}

    def after_evaluation(self, run: Run, metrics: Mapping[str, float]) -> None:
        """Keeps the weights where the metric is better than ever."""
        recipe = run.work.recipe
        value = scores.chosen(metrics, recipe.metric)
        if not scores.better(value, self.metrics.get(recipe.metric), mode=recipe.mode):
            return
        self.step, self.metrics = run.step, dict(run.metrics)
        if self._keeps:
            with state.counted(run):
                state.save_best(run)

    def at_end(self, run: Run) -> None:
        """Puts the best weights into the module unless they are there already."""
        if not self._keeps or self.step in (None, run.step):
            return
        found = state.read(run.work, lambda checkpoints: checkpoints.best())
        if found is None:
            log.warning("the best weights, of step %s, are gone: the last ones stay", self.step)
            return
        full_state.load_weights(run.sharded.module, found.tensors)
        # A run that was killed may have saved a better one than its last checkpoint knows of.
        self.load(found.values)
        run.metrics = dict(self.metrics)
        log.info("takes the weights of step %s, the best", self.step)

    def state(self) -> Mapping[str, Any]:
        """Which evaluation was the best."""
        return {"step": self.step, "metrics": self.metrics}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from there."""
        self.step, self.metrics = state["step"], dict(state["metrics"])

"""Ends a training that no longer gets better."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graft_worker.train import scores

if TYPE_CHECKING:
    from graft_api.training import EarlyStopping as Spec
    from graft_worker.train.run import Run

log = logging.getLogger(__name__)


class EarlyStopping:
    """Counts evaluations without an improvement of at least `min_delta`."""

    name = "earlyStopping"

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._best: float | None = None
        self._since = 0

    def after_evaluation(self, run: Run, metrics: Mapping[str, float]) -> None:
        """Ends the run when patience is used up."""
        recipe = run.work.recipe
        value = scores.chosen(metrics, recipe.metric)
        if scores.better(value, self._best, mode=recipe.mode, least=self._spec.min_delta):
            self._best, self._since = value, 0
            return
        self._since += 1
        if self._since >= self._spec.patience:
            log.info("no better %s for %d evaluations: ends early", recipe.metric, self._since)
            run.ending = True

    def state(self) -> Mapping[str, Any]:
        """The best value and the evaluations since."""
        return {"best": self._best, "since": self._since}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on counting."""
        self._best, self._since = state["best"], state["since"]

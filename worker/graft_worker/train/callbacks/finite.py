"""Ends a training whose loss or gradient stays infinite or undefined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graft_api.errors import GraftError

if TYPE_CHECKING:
    from graft_worker.train.run import Run

IN_A_ROW = 3
NAMED = 16  # sample ids in the message


class FiniteGuard:
    """Lets single steps be skipped, and raises after three in a row."""

    name = "finite"

    def __init__(self) -> None:
        self._in_a_row = 0

    def after_step(self, run: Run) -> None:
        """Counts skipped steps.

        Raises:
            GraftError: three in a row; names the step and its samples.
        """
        self._in_a_row = self._in_a_row + 1 if run.skipped else 0
        if self._in_a_row >= IN_A_ROW:
            raise GraftError(_message(run), hint=_HINT)

    def state(self) -> Mapping[str, Any]:
        """How many steps were skipped last."""
        return {"inARow": self._in_a_row}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on counting."""
        self._in_a_row = state["inARow"]


_HINT = (
    "lower training.optimizer.learningRate, set training.gradientClip, or use precision fp32;"
    " look at the named rows of the training split"
)


def _message(run: Run) -> str:
    rows = run.feed.samples(run.step - 1)
    named = ", ".join(str(row) for row in rows[:NAMED])
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return (
        f"step {run.step}: loss or gradient is not finite for the {IN_A_ROW}rd time in a row"
        f" (rows {named}{more})"
    )

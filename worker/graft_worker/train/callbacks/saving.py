"""Saves the state every so often, when somebody asks for it, and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graft_worker.train import state

if TYPE_CHECKING:
    from graft_api.run import CheckpointInterval
    from graft_worker.train.run import Run

MINUTES = 10.0  # where the job does not say


class Saving:
    """Saves every so many steps or when rank 0's clock says so, and when any process is asked."""

    name = "saving"

    def __init__(self, every: CheckpointInterval | None, *, started: float) -> None:
        self._steps = every.steps if every is not None else None
        minutes = every.minutes if every is not None else None
        self._seconds = 60.0 * (MINUTES if minutes is None else minutes)
        self._saved = started

    def wish(self, run: Run) -> bool:
        """Whether a save is due after the step that is being done, or was asked for."""
        return run.work.surroundings.save() or self._due(run)

    def _due(self, run: Run) -> bool:
        if self._steps is not None:
            return (run.step + 1) % self._steps == 0
        # Clocks of several machines differ: rank 0's alone counts.
        late = run.work.surroundings.clock() - self._saved >= self._seconds
        return late and run.work.process.leads

    def granted(self, run: Run) -> None:
        """Saves; the writing goes on in the background."""
        with state.counted(run):
            state.save(run)
        self._saved = run.work.surroundings.clock()

    def at_end(self, run: Run) -> None:
        """Saves the last step unless that is done, and waits until it is on disk."""
        with state.counted(run):
            if run.saved_step != run.step:
                state.save(run)
            state.await_saved(run)

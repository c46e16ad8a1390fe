"""Saves and stops when somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graft_api.errors import Stopped
from graft_worker.train import state
from graft_worker.train.callbacks import reporting

if TYPE_CHECKING:
    from graft_worker.train.run import Run


class Stopping:
    """Asks at every step; all processes stop after the same one."""

    name = "stopping"

    def __init__(self, *, saves: bool) -> None:
        self._saves = saves

    def wish(self, run: Run) -> bool:
        """Whether this process was asked to stop."""
        return run.work.surroundings.stop()

    def granted(self, run: Run) -> None:
        """Makes the state durable where the job wants that, and ends the run.

        Raises:
            Stopped: always.
        """
        if self._saves and run.saved_step != run.step:
            state.save(run)
        state.await_saved(run)
        if run.work.process.local_rank == 0:
            run.work.surroundings.report(reporting.last_report(run))
        saved = (
            f"the state of step {run.saved_step} is saved" if run.saved_step else "nothing is saved"
        )
        raise Stopped(
            f"stopped after step {run.step} of {run.total_steps}: {saved}",
            hint="run the same job again to go on",
        )

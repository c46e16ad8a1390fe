"""The callbacks that a job asks for, in the order in which they act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graft_worker.train.callbacks.best import Best
from graft_worker.train.callbacks.early_stopping import EarlyStopping
from graft_worker.train.callbacks.evaluating import Evaluating
from graft_worker.train.callbacks.finite import FiniteGuard
from graft_worker.train.callbacks.reporting import Reporting
from graft_worker.train.callbacks.saving import Saving
from graft_worker.train.callbacks.stopping import Stopping

if TYPE_CHECKING:
    from graft_worker.train.callbacks.hooks import Callback
    from graft_worker.train.settings import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """All callbacks of a job; `best` is asked at the end."""

    all: tuple[Callback, ...]
    best: Best

    @classmethod
    def of(cls, work: Work) -> Standard:
        """The callbacks of a piece of work.

        A step is judged and evaluated before it is saved: a resume must not evaluate it again.
        """
        best = Best(keeps=work.recipe.training.evaluate.keep_best)
        saving = work.recipe.saving
        after = (
            Saving(saving.every, started=work.surroundings.clock()),
            Stopping(saves=saving.on_signal),
            best,
            Reporting(),
        )
        return cls(all=(FiniteGuard(), *_evaluation(work), *after), best=best)


def _evaluation(work: Work) -> tuple[Callback, ...]:
    wish, shards = work.recipe.training.evaluate, work.examples.validation
    if shards is None:
        return ()
    evaluating = Evaluating(wish.every, shards)
    if wish.early_stopping is None:
        return (evaluating,)
    return evaluating, EarlyStopping(wish.early_stopping)

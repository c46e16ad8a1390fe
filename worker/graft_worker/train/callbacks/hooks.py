"""Where a callback may join in; each implements what it needs and nothing else.

The order of the callbacks counts. Every process runs the same callbacks and must take the same
decisions: what depends on a clock or a signal is a wish, granted where any process has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from graft_worker.train.run import Run


class Callback(Protocol):
    """Anything with a name, unique among the callbacks of a training."""

    name: str


@runtime_checkable
class AfterStep(Protocol):
    """Acts after every optimizer step."""

    def after_step(self, run: Run) -> None:
        """Called with `run.step` already counted."""
        ...


@runtime_checkable
class Wishing(Protocol):
    """Acts after those steps for which some process wishes it; the wish travels with the loss."""

    def wish(self, run: Run) -> bool:
        """Whether this process wishes it after the step that is being done, `run.step` + 1."""
        ...

    def granted(self, run: Run) -> None:
        """Called in every process when one wished it."""
        ...


@runtime_checkable
class AfterEvaluation(Protocol):
    """Acts on the metrics of an evaluation, the same ones in every process."""

    def after_evaluation(self, run: Run, metrics: Mapping[str, float]) -> None:
        """Called with all metrics, also those that are not finite."""
        ...


@runtime_checkable
class AtEnd(Protocol):
    """Acts once when the training is done, not when it is stopped."""

    def at_end(self, run: Run) -> None:
        """Called after the last step."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """Has a state that an exact resume needs, as JSON values."""

    def state(self) -> Mapping[str, Any]:
        """The state after the newest step."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Puts a state back."""
        ...


class Callbacks:
    """All callbacks of a training, called in their order."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self.all = tuple(callbacks)
        self._wishing = tuple(c for c in self.all if isinstance(c, Wishing))

    def wishes(self, run: Run) -> list[float]:
        """One number per wishing callback, above 0 where this process wishes it."""
        return [float(c.wish(run)) for c in self._wishing]

    def after_step(self, run: Run, wishes: Sequence[float]) -> None:
        """Lets every callback act; `wishes` are summed over all processes."""
        granted = {id(c) for c, wish in zip(self._wishing, wishes, strict=True) if wish}
        for callback in self.all:
            if isinstance(callback, AfterStep):
                callback.after_step(run)
            if id(callback) in granted:
                assert isinstance(callback, Wishing)
                callback.granted(run)

    def after_evaluation(self, run: Run, metrics: Mapping[str, float]) -> None:
        """Tells every callback that wants to know."""
        for callback in self.all:
            if isinstance(callback, AfterEvaluation):
                callback.after_evaluation(run, metrics)

    def at_end(self, run: Run) -> None:
        """Lets every callback finish."""
        for callback in self.all:
            if isinstance(callback, AtEnd):
                callback.at_end(run)

    def state(self) -> dict[str, Any]:
        """The states of all callbacks that have one, by name."""
        return {c.name: dict(c.state()) for c in self.all if isinstance(c, Remembering)}

    def load(self, states: Mapping[str, Any]) -> None:
        """Puts the states back; a callback without one in the checkpoint starts afresh."""
        for callback in self.all:
            if isinstance(callback, Remembering) and callback.name in states:
                callback.load(states[callback.name])

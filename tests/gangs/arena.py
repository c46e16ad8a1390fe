"""A gang of two that nobody disturbs, and others that are disturbed and must end like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.gangs.jobs import Applied, Object, apply, small
from tests.gangs.measured import tell

LONG = {"duration": {"epochs": 24}}
ENDLESS = {"duration": {"steps": 1_000_000}}
PAIR = {"desired": 2}
MIDDLE = 60  # steps, after which something happens

STOP = "import os, signal; os.kill({}, signal.SIG{})"
FIND = (
    "import glob; print([p.split('/')[2] for p in glob.glob('/proc/[0-9]*/comm')"
    " if open(p).read() == 'graft-train\\n'][0])"
)


@dataclass(frozen=True, slots=True)
class Arena:
    """A namespace with its store, and the final loss of a pair that nobody disturbed."""

    space: Namespace
    store: Path
    loss: float

    def pair(self, name: str, **spec: object) -> Applied:
        """A job of two workers, of fixed size."""
        workers = PAIR | spec.pop("workers", {})  # type: ignore[operator]
        return apply(self.space, small(name, workers=workers, training=LONG, **spec))

    def ends_as_in_peace(self, applied: Applied) -> Object:
        """The final status; the final loss is that of the undisturbed pair, to the bit."""
        status = applied.phase("Complete")
        assert last_loss(applied, self.store) == self.loss
        assert status["progress"]["step"] == status["progress"]["totalSteps"]
        return status


def last_loss(applied: Applied, store: Path) -> float:
    """The loss of the last step."""
    losses = applied.losses(store)
    return losses[max(losses)]


def disturb(applied: Applied, store: Path, what: str, fault: Callable[[], None]) -> None:
    """Does it in the middle of the training, waits for the next step and tells how long it took.

    The time begins before the fault is asked for: it is an upper bound.
    """
    applied.step(MIDDLE)
    moment = datetime.now(UTC)
    fault()
    first = until(
        lambda: first_step_of_others(applied.reports(store), moment),
        f"{applied.name}: a step after {what}",
        seconds=180,
    )
    tell(f"from {what} to the next step", (first - moment).total_seconds())


def first_step_of_others(reports: list[Object], moment: datetime) -> datetime | None:
    """When a process that was started after the moment had done its first step."""
    counts = [sum(report["stepHistogram"].values()) for report in reports]
    for before, after, report in zip(counts, counts[1:], reports[1:], strict=False):
        done = datetime.fromisoformat(report["time"])
        if after < before and done > moment:
            return done
    return None


def signal_worker(space: Namespace, pod: str, name: str) -> None:
    """Sends the training process of the pod a signal, such as KILL."""
    found = space.kubectl("exec", pod, "--", "python", "-c", FIND).strip()
    space.kubectl("exec", pod, "--", "python", "-c", STOP.format(found, name))


def remove(space: Namespace, pod: str, *how: str) -> None:
    """Deletes the pod and does not wait for its end."""
    space.kubectl("delete", "pod", pod, "--wait=false", *how)

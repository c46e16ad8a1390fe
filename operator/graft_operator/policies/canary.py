"""What becomes of a canary: the next step, the whole traffic, or the way back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from graft_api.scalars import seconds
from graft_api.serving import Rollout
from graft_operator.observed import Answers
from graft_operator.policies import answers
from graft_operator.policies.rollout import BACK, LOAD, Arrival, Choice, State, Trial

FEWEST = 20  # requests without which no share of failures means anything
FEWEST_P99 = 100  # requests of which the slowest hundredth is one
MOST = 1000  # more are not waited for, however low the limit
ON_TRIAL: tuple[State, ...] = ("Step", "Paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A share of the traffic in percent, and for how long at least."""

    weight: int
    hold: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the spec asks of a canary."""

    steps: tuple[Step, ...] = ()
    error_rate: float = 0.01
    p99: float | None = None  # seconds
    paused: bool = False
    routed: bool = False  # a route makes the shares; else pods do

    def step(self, number: int) -> Step:
        """The step of that number; the last where there are fewer by now."""
        return self.steps[min(number, len(self.steps)) - 1]

    def pods(self, number: int, stable: int) -> int:
        """Pods that the canary needs in the step of that number beside so many stable ones."""
        weight = self.step(number).weight
        return carriers(weight, stable) if self.routed else pods(weight, stable)

    @property
    def enough(self) -> int:
        """Requests by which a canary can be judged: of so many, one failure is within limits."""
        least = FEWEST if self.p99 is None else FEWEST_P99
        tolerable = 1 / self.error_rate if self.error_rate else MOST
        return min(max(least, round(tolerable)), MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a look at both Deployments saw."""

    stable: Arrival = field(default_factory=Arrival)
    canary: Arrival = field(default_factory=Arrival)
    answers: Answers = field(default_factory=Answers)  # of the canary, since its state began
    there: bool = False  # the canary's Deployment exists

    @property
    def complete(self) -> bool:
        """Whether all pods of both answer: a share changes only then."""
        return self.stable.complete and self.canary.complete


def rules(rollout: Rollout, *, routed: bool) -> Rules:
    """The spec in numbers; `routed`: a route makes the shares."""
    return Rules(
        steps=tuple(
            Step(weight=each.weight, hold=timedelta(seconds=seconds(each.hold)))
            for each in rollout.steps
        ),
        error_rate=rollout.max_error_rate,
        p99=None if rollout.max_p99 is None else seconds(rollout.max_p99),
        paused=rollout.paused,
        routed=routed,
    )


def pods(weight: int, stable: int) -> int:
    """Pods that come nearest to that percentage of the traffic beside so many stable ones.

    At least one, and at most as many as the stable ones, which all stay: half of the traffic.
    """
    if not stable or weight >= 50:
        return stable
    below = weight * stable // (100 - weight)
    near = {min(max(count, 1), stable) for count in (below, below + 1)}
    return min(sorted(near), key=lambda count: abs(count / (count + stable) - weight / 100))


def carriers(weight: int, stable: int) -> int:
    """Pods that carry that percentage of what so many stable ones carried alone."""
    return -(-weight * stable // 100)


def weight(choice: Choice, wanted: Rules) -> int:
    """The percentage that a route gives the canary: more only when its pods answer."""
    trial = choice.trial
    if trial is None or choice.canary is None or choice.state in BACK:
        return 0
    reached = trial.step - (choice.state == "Preparing")
    return wanted.step(reached).weight if reached else 0


def share(canary: int, stable: int) -> int:
    """The percentage of the traffic that so many pods of all get: each the same."""
    return round(100 * canary / (canary + stable)) if canary else 0


def judged(choice: Choice, wanted: Rules, sight: Sight, *, now: datetime) -> Choice:
    """The choice after a look: the next state, or as it was.

    What a state asks for is done only after it was written down, so an operator that dies between
    any two writes leaves nothing that its successor cannot go on with.
    """
    trial = choice.trial
    if trial is None or not trial.step or choice.state == "Degraded":
        return choice
    if choice.state == "RollingBack":
        return choice if sight.there else _moved(choice, "Degraded", now=trial.since)
    if trouble := _trouble(choice, wanted, sight, now=now):
        return _back(choice, *trouble)
    if choice.state == "Promote":
        return Choice(state="Stable", stable=trial.model) if sight.stable.complete else choice
    if choice.state == "Preparing":
        return _moved(choice, "Step", now=now) if sight.complete else choice
    return _stepped(choice, wanted, sight, now=now)


def _stepped(choice: Choice, wanted: Rules, sight: Sight, *, now: datetime) -> Choice:
    """The next step where this one has been held, judged, and nobody says stop."""
    assert choice.trial is not None
    if wanted.paused != (choice.state == "Paused"):
        return replace(choice, state="Paused" if wanted.paused else "Step")
    held = now - choice.trial.since >= wanted.step(choice.trial.step).hold
    judgeable = sight.answers.requests >= wanted.enough
    if wanted.paused or not (held and judgeable and sight.complete):
        return choice
    if choice.trial.step >= len(wanted.steps):
        return _moved(choice, "Promote", now=now)
    return _moved(choice, "Preparing", now=now, step=choice.trial.step + 1)


def _trouble(
    choice: Choice, wanted: Rules, sight: Sight, *, now: datetime
) -> tuple[str, str] | None:
    """Why the model has to go, as a word and a sentence."""
    promoted = choice.state == "Promote"
    if broken := sight.canary.broken or (sight.stable.broken if promoted else ""):
        return "ModelUnfit", broken
    if promoted and sight.stable.stalled:
        return "NotReady", "its pods did not become ready while it took over"
    if late := _late(choice, sight, now=now):
        return "NotReady", late
    first = choice.state == "Preparing" and choice.trial is not None and choice.trial.step == 1
    return None if first else _poor(wanted, sight.answers)


def _late(choice: Choice, sight: Sight, *, now: datetime) -> str:
    """That the canary's pods have been waited for long enough; empty: they have not."""
    assert choice.trial is not None
    if sight.canary.complete or sight.canary.none:
        return ""
    minutes = f"{LOAD.seconds // 60} minutes"
    if choice.state == "Preparing" and now - choice.trial.since > LOAD:
        return f"its pods did not answer within {minutes}"
    since = sight.canary.lacking
    if choice.state in ON_TRIAL and since is not None and now - since > LOAD:
        return f"not all of its pods have answered for {minutes}"
    return ""


def _poor(wanted: Rules, seen: Answers) -> tuple[str, str] | None:
    """What is wrong with the answers; a limit is exceeded as soon as no more good ones can help."""
    count = max(seen.requests, wanted.enough)
    if seen.failed > wanted.error_rate * count:
        asked = f"{wanted.error_rate:.1%} is allowed"
        return "ErrorRate", f"{seen.failed:.0f} of {seen.requests:.0f} requests failed; {asked}"
    slowest = answers.quantile(seen, 0.99)
    if wanted.p99 is not None and seen.requests >= wanted.enough and slowest > wanted.p99:
        asked = f"{wanted.p99 * 1000:.0f} ms are allowed"
        return "Latency", f"one request of a hundred took {slowest * 1000:.0f} ms; {asked}"
    return None


def _back(choice: Choice, reason: str, why: str) -> Choice:
    assert choice.trial is not None
    failed = replace(choice.trial, failed=why)
    return replace(choice, state="RollingBack", trial=failed, message=why, reason=reason)


def _moved(choice: Choice, state: State, *, now: datetime, step: int | None = None) -> Choice:
    assert choice.trial is not None
    old = choice.trial
    since = now + timedelta(microseconds=-now.microsecond % 1_000_000)  # status has whole seconds
    trial = Trial(model=old.model, since=since, failed=old.failed, step=step or old.step)
    return replace(choice, state=state, trial=trial)

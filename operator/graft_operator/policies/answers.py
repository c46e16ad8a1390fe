"""How well servers answered: from what their metrics said before to what they say now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from math import inf

from prometheus_client.parser import text_string_to_metric_families

from graft_operator.observed import Answers

ENDPOINTS = ("/v1/predict", "/v1/embeddings", "/v2/models/{model}/infer")
REQUESTS = "graft_serve_requests_total"
LATENCIES = "graft_serve_request_duration_seconds_bucket"
FAULT = 500  # codes from here on are the server's fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What pods answered within a window; the counters of each as they stood last."""

    window: str = ""
    last: Mapping[str, Answers] = field(default_factory=dict)  # by UID of the pod
    answers: Answers = field(default_factory=Answers)


def read(text: str) -> Answers:
    """What a server has answered since it started; probes and questions about it do not count.

    Raises:
        ValueError: it is no text of Prometheus.
    """
    requests = failed = 0.0
    slots: dict[float, float] = {}
    samples = (each for family in text_string_to_metric_families(text) for each in family.samples)
    for sample in samples:
        if sample.name == REQUESTS and sample.labels.get("endpoint") in ENDPOINTS:
            requests += sample.value
            failed += sample.value if int(sample.labels["code"]) >= FAULT else 0
        elif sample.name == LATENCIES:
            bound = float(sample.labels["le"])
            slots[bound] = slots.get(bound, 0.0) + sample.value
    return Answers(requests=requests, failed=failed, slots=tuple(sorted(slots.items())))


def grown(before: Answers | None, after: Answers) -> Answers:
    """What was answered between two looks at one pod; a server that started anew counts from 0."""
    if before is None or _restarted(before, after):
        return after
    known = dict(before.slots)
    return Answers(
        requests=after.requests - before.requests,
        failed=after.failed - before.failed,
        slots=tuple((bound, count - known.get(bound, 0.0)) for bound, count in after.slots),
    )


def counted(tally: Tally, window: str, seen: Mapping[str, Answers]) -> Tally:
    """The tally with one more look; another window begins at nothing.

    A pod that was never seen before counts with all that it has answered.
    """
    same = window == tally.window
    more = (grown(tally.last.get(uid), each) for uid, each in seen.items())
    return Tally(
        window=window,
        last={**(tally.last if same else {}), **seen},
        answers=reduce(_together, more, tally.answers if same else Answers()),
    )


def failed_share(answers: Answers) -> float:
    """Of all requests; 0 where there were none."""
    return answers.failed / answers.requests if answers.requests else 0.0


def quantile(answers: Answers, share: float) -> float:
    """Seconds within which that share was answered, evenly spread within a slot of the histogram.

    Beyond the last bound that bound is given; 0 where nothing was answered.
    """
    total = answers.slots[-1][1] if answers.slots else 0.0
    low = below = 0.0
    for bound, count in answers.slots:
        if total and count >= share * total:
            inside = count - below
            part = (share * total - below) / inside if inside else 1.0
            return low if bound == inf else low + (bound - low) * part
        low, below = bound, count
    return 0.0


def _restarted(before: Answers, after: Answers) -> bool:
    now = dict(after.slots)
    shrunk = any(now.get(bound, 0.0) < count for bound, count in before.slots)
    return after.requests < before.requests or after.failed < before.failed or shrunk


def _together(one: Answers, other: Answers) -> Answers:
    slots = dict(one.slots)
    for bound, count in other.slots:
        slots[bound] = slots.get(bound, 0.0) + count
    return Answers(
        requests=one.requests + other.requests,
        failed=one.failed + other.failed,
        slots=tuple(sorted(slots.items())),
    )

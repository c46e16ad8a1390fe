"""What the workers of a job wrote: merged by time, followed, or that of the failed ones."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graft_api.progress import Termination
from graft_api.vocabulary import Role
from graft_cli.endings import EndedError, Ending
from graft_operator.cluster.reading import CONTAINER
from graft_operator.cluster.requests import Ref, Request, get
from graft_operator.observed import Pod

from . import children
from .api import Api

FAILED_LINES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Whose log is wanted; None: the newest attempt, the stage that is furthest, every worker."""

    worker: int | None = None
    role: Role | None = None
    attempt: int | None = None
    tail: int | None = None  # newest lines of each

    def takes(self, pod: Pod) -> bool:
        """Whether the pod is among those that are wanted."""
        return (
            pod.role != Role.RENDEZVOUS
            and self.worker in (None, pod.index)
            and self.role in (None, pod.role)
            and self.attempt in (None, pod.attempt)
        )


def chosen(pods: Iterable[Pod], wish: Wish) -> list[Pod]:
    """The pods that are wanted: of one stage and one attempt."""
    fit = [pod for pod in pods if wish.takes(pod)]
    role = next((r for r in (Role.WORKER, Role.PREPARE) if any(p.role == r for p in fit)), None)
    stage = [pod for pod in fit if pod.role == role]
    newest = max((pod.attempt for pod in stage), default=0)
    return [pod for pod in stage if pod.attempt == newest]


def request(
    pod: Pod, namespace: str, *, tail: int | None = None, follow: bool = False, since: str = ""
) -> Request:
    """Asks for the log of a pod, each line with its time in front."""
    query: dict[str, str | int] = {
        "container": CONTAINER,
        "timestamps": "true",
        "follow": "true" if follow else "",
        "tailLines": "" if tail is None else tail,
        "sinceTime": since,
    }
    return get(Ref(kind="Pod", namespace=namespace, name=pod.name), subresource="log", query=query)


def stamped(api: Api, pod: Pod, wish: Wish) -> Iterator[tuple[str, str]]:
    """Time and prefixed text of each line; one line that says so where there is no log."""
    prefix = children.short(pod)
    try:
        for line in api.lines(request(pod, api.namespace, tail=wish.tail), read_seconds=60):
            time, _, text = line.partition(" ")
            yield time, f"[{prefix}] {text}"
    except EndedError as error:
        if error.code in (Ending.FORBIDDEN, Ending.INTERRUPTED):
            raise
        yield "", f"[{prefix}] no log of pod {pod.name}: {error.message}"


def merged(api: Api, pods: Iterable[Pod], wish: Wish) -> Iterator[str]:
    """The lines of all pods in the order of their times."""
    streams = [stamped(api, pod, wish) for pod in pods if pod.started]
    for _, text in heapq.merge(*streams, key=lambda pair: pair[0]):
        yield text


def of_failed(api: Api, pods: Iterable[Pod], wish: Wish) -> Iterator[str]:
    """The end of each failed pod's log, the newest failure first."""
    bad = [pod for pod in pods if wish.takes(pod) and children.failed(pod)]
    bad.sort(key=lambda pod: (pod.ended or pod.created, pod.attempt), reverse=True)
    for pod in bad:
        yield ended(pod)
        if pod.started:
            tail = Wish(tail=wish.tail or FAILED_LINES)
            yield from (text for _, text in stamped(api, pod, tail))
        yield from (f"[{children.short(pod)}] {line}" for line in last_words(pod))


def ended(pod: Pod) -> str:
    """`[w1] attempt 2, pod p: exit code 1 (Error) at 12:00:00`."""
    code = "no exit code" if pod.exit_code is None else f"exit code {pod.exit_code}"
    reason = f" ({pod.reason})" if pod.reason else ""
    at = f" at {pod.ended:%H:%M:%S} UTC" if pod.ended else ""
    return f"[{children.short(pod)}] attempt {pod.attempt}, pod {pod.name}: {code}{reason}{at}"


def last_words(pod: Pod) -> tuple[str, ...]:
    """Message and hint of the worker's last words; none where it left none."""
    words = termination(pod)
    return tuple(text for text in (words.message, words.hint) if text) if words else ()


def termination(pod: Pod) -> Termination | None:
    """The worker's last words; None where it left none that can be read."""
    try:
        return Termination.from_json(pod.words)
    except (ValueError, TypeError, AttributeError):
        return None

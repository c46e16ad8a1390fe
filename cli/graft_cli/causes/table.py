"""The table of causes, from those that explain everything to those that explain little."""

from __future__ import annotations

from collections.abc import Callable

from . import asking, control, endings, holding, placing, running, serving
from .facts import Cause, Facts

Finders = tuple[Callable[[Facts], Cause | None], ...]

TABLE: Finders = (
    endings.complete,
    endings.data,
    endings.config,
    endings.image,
    endings.memory,
    endings.hang,
    endings.node,
    endings.store,
    endings.world,
    endings.deadline,
    endings.unmarked,
    endings.restarts,
    endings.crash,
    control.removed,
    control.no_operator,
    control.silent_operator,
    control.elsewhere,
    control.unseen,
    control.behind,
    control.invalid,
    control.conflict,
    control.internal,
    holding.stopping,
    holding.suspended,
    holding.preempted,
    holding.waiting_for_job,
    holding.queue_missing,
    holding.queued,
    holding.quota,
    holding.limits,
    holding.security,
    holding.priority,
    holding.account,
    holding.rights,
    holding.admission,
    holding.refused,
    placing.claim_missing,
    placing.claim_unbound,
    placing.no_gpu,
    placing.no_room,
    placing.tainted,
    placing.unschedulable,
    placing.image_forbidden,
    placing.image_missing,
    placing.image_unreached,
    placing.image_other,
    placing.reference_missing,
    placing.mount_failed,
    placing.container_failed,
    placing.no_scheduler,
    running.node_lost,
    running.evicted,
    running.out_of_memory,
    running.disrupted,
    running.rendezvous,
    running.hung,
    running.crashed,
    running.backing_off,
    running.stalled,
    running.degraded,
    running.preparing,
    running.starting,
    running.fine,
)
# Of deployments: who looks after them, what stands in their way, what runs.
SERVED: tuple[Finders, ...] = (
    tuple(find for find in TABLE if find.__module__ == control.__name__),
    (
        serving.waiting_for_job,
        serving.unfit,
        serving.rolled_back,
        serving.scaled_to_zero,
        *(find for find in TABLE if find.__module__ == placing.__name__),
        holding.quota,
        holding.limits,
        holding.security,
        holding.account,
        holding.rights,
        holding.admission,
        holding.refused,
        serving.out_of_memory,
        serving.crashing,
        serving.held,
    ),
    (asking.unreached,),
    (asking.unscaled,),
)
ANSWERING: Finders = (serving.proving, serving.starting, serving.rolling_out, serving.fine)
UNKNOWN = Cause(
    name="Unknown",
    says="Nothing that graft knows of holds the job up.",
    do=("see its conditions and events: graft show",),
)


def causes(facts: Facts) -> tuple[Cause, ...]:
    """What holds the job up or ended it, the main cause first; never empty.

    Of each module the first that fits is enough: the later ones say less of the same matter.
    What runs is told only where nothing stands in its way.
    """
    if facts.noun == "deployment":
        return _of_deployment(facts)
    found: list[Cause] = []
    told: set[str] = set()
    for find in TABLE:
        family = find.__module__
        if family in told or (family == running.__name__ and found):
            continue
        if cause := find(facts):
            told.add(family)
            found.append(cause)
        if facts.ended and found:
            break
    return tuple(found) or (UNKNOWN,)


def _of_deployment(facts: Facts) -> tuple[Cause, ...]:
    firsts = (_first(finders, facts) for finders in SERVED)
    found = [cause for cause in firsts if cause] or [_first(ANSWERING, facts) or UNKNOWN]
    return tuple(map(serving.in_its_words, found))


def _first(finders: Finders, facts: Facts) -> Cause | None:
    return next((cause for find in finders if (cause := find(facts))), None)

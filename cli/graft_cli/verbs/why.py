"""Says in sentences why a job does not progress or has failed, and what to do about it.

Of a deployment it says why no pod answers. It looks at the conditions, the pods, the events and at
the operator's sign of life.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from graft_cli import output, screen
from graft_cli.cluster import options

if TYPE_CHECKING:
    from graft_cli.causes.facts import Cause
    from graft_cli.cluster.gathering import Gathered
    from graft_cli.cluster.naming import Found

EXAMPLE = """\
examples:
  graft why reviews
  graft why transfer/reviews -n team-a -o json | jq .cause
  graft why serve/reviews

exit codes: 0 an answer was given, 3 not found, 5 the API server does not answer, 6 not permitted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft why`."""
    options.add_both(parser)
    parser.add_argument(
        "--operator-namespace",
        metavar="NS",
        help="where the operator is installed (default: $GRAFT_OPERATOR_NAMESPACE or graft-system)",
    )
    output.add_argument(parser, default="text", forms=("text", "json", "yaml"))


def run(arguments: argparse.Namespace) -> int:
    """Prints the causes."""
    from graft_cli.causes import table
    from graft_cli.cluster import api, gathering, naming

    cluster = api.open_api(arguments)
    found = naming.find(cluster, arguments.job, naming.ALL)
    gathered = gathering.gather(cluster, found, operator_namespace=arguments.operator_namespace)
    causes = table.causes(gathered.facts)
    if arguments.output != "text":
        output.write(plain(found, gathered, causes), form=arguments.output)
        return 0
    print(screen.harmless("\n".join(text(found, gathered, causes))))
    for hidden in gathered.hidden:
        screen.say(f"graft: not looked at: {hidden}")
    return 0


def text(found: Found, gathered: Gathered, causes: tuple[Cause, ...]) -> Iterator[str]:
    """The causes as sentences, with what to do below each."""
    from graft_cli.cluster import served, view

    facts = gathered.facts
    yield f"{found.label} in {facts.namespace}: {served.word(found.raw)}"
    for number, cause in enumerate(causes):
        yield ""
        yield cause.says if number == 0 else f"Also: {cause.says}"
        yield from (f"  - {step}" for step in cause.do)
    if facts.excerpt:
        yield "\nthe end of the failed worker's log:"
        yield from (f"  {line}" for line in facts.excerpt)
    warnings = [event for event in facts.events if event.type == "Warning"][:5]
    if warnings and not facts.holds("Complete"):
        yield "\nlast warnings:"
        for event in warnings:
            ago = view.age((facts.now - event.time).total_seconds())
            yield f"  {ago} ago  {event.about}  {event.reason}: {event.note}"


def plain(found: Found, gathered: Gathered, causes: tuple[Cause, ...]) -> dict[str, Any]:
    """The same as data."""
    from graft_cli.cluster import served

    facts = gathered.facts
    told = [{"name": c.name, "says": c.says, "do": list(c.do)} for c in causes]
    events = [
        {
            "time": event.time.isoformat(),
            "type": event.type,
            "reason": event.reason,
            "about": event.about,
            "note": event.note,
            "count": event.count,
        }
        for event in facts.events[:20]
    ]
    return {
        "job": found.label,
        "namespace": facts.namespace,
        "phase": served.word(found.raw),
        "cause": told[0],
        "also": told[1:],
        "excerpt": list(facts.excerpt),
        "events": events,
        "hidden": list(gathered.hidden),
    }

"""A child could not be made: the server's words become a condition, and time passes."""

from __future__ import annotations

from datetime import timedelta

from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Verdict, false

AGAIN = timedelta(seconds=15)


def verdict(s: Situation) -> Verdict | None:
    """What stands in the way; nothing is tried until some time has passed."""
    seen = s.observed
    if seen.conflict:
        found = false("NameConflict", seen.conflict)
    elif seen.refused:
        found = false("ChildCreateFailed", seen.refused)
    else:
        return None
    return Verdict(findings={"Ready": found, "Running": found}, wake=s.now + AGAIN)

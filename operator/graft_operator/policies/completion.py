"""What a finished stage left behind; a job is complete only with its marker."""

from __future__ import annotations

from graft_api.progress import Termination
from graft_operator.policies.causes import words
from graft_operator.policies.situation import Situation


def marker(s: Situation) -> Termination | None:
    """The last words that say `Complete` with an artefact; None where no pod left any."""
    for pod in s.pods:
        said = words(pod)
        if said is not None and said.state == "Complete" and said.artefact_uri:
            return said
    return None

"""The job starts from what another makes: it waits for that one, and then keeps to its artefact."""

from __future__ import annotations

from graft_operator.observed import Referred
from graft_operator.policies import referring
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Finding, Verdict, false


def verdict(s: Situation) -> Verdict | None:
    """What the job waits for; where nothing is missing any more, that it is written down."""
    found = s.observed.referred
    if all(r.pinned for r in found):
        return None
    missing = next((r for r in found if not r.uri), None)
    if missing is not None:
        waits = _waits(missing)
        return Verdict(findings={"Prepared": waits, "Running": waits})
    reading = false("Preparing", "the data is being read and tokenised")
    return Verdict(
        findings={"Prepared": reading, "Running": false("WaitingForWorkers", "no worker runs yet")},
        blocks={referring.PINNED: referring.pins(found)},
        wake=s.now,
    )


def _waits(missing: Referred) -> Finding:
    reference = missing.reference
    if not missing.phase:
        text = f"{reference.path}: there is no {reference} in this namespace yet; make it"
    elif missing.phase == "Failed":
        text = f"{reference.path}: {reference} has failed; make it anew under the same name"
    else:
        text = f"{reference.path}: waits for {reference}, which is {missing.phase}"
    return false("WaitingForJob", text)

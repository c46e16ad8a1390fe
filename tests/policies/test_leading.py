"""Who may take the Lease, and when, whatever the clocks of the replicas say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from graft_operator.policies.leading import TERMS, Lease, Sight, claim, seen, wait

RENEWED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
A, B = "graft-a", "graft-b"


def lease(at: float, *, holder: str = A, ahead: float = 0.0, holds: float = 15.0) -> Lease:
    """As its holder wrote it `at` a moment, by a clock that is so many seconds ahead of ours."""
    renewed = (RENEWED + timedelta(seconds=at + ahead)).isoformat()
    return Lease(holder=holder, renewed=renewed, holds=holds, version=str(at))


def waits(leases: Iterator[tuple[float, Lease | None]]) -> list[float]:
    """What is left to wait for another replica at each look."""
    sight: Sight | None = None
    found = []
    for now, each in leases:
        sight = seen(sight, each, now=now)
        found.append(wait(sight, me=B, now=now))
    return found


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0])
def test_a_live_leader_keeps_the_lease_whatever_its_clock_says(ahead: float):
    looks = ((at + 1.0, lease(at, ahead=ahead)) for at in range(0, 60, 2))
    assert waits(looks) == [15.0] * 30


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0])
def test_a_dead_leader_loses_it_so_long_after_its_last_renewal_was_first_seen(ahead: float):
    looks = ((now, lease(0, ahead=ahead)) for now in (1.0, 3.0, 15.5, 16.0, 18.0))
    assert waits(looks) == [15.0, 13.0, 0.5, 0.0, 0.0]


def test_who_annotates_the_lease_of_a_dead_leader_does_not_keep_it_alive():
    annotated = Lease(holder=A, renewed=lease(0).renewed, holds=15.0, version="9")
    assert waits(iter([(1.0, lease(0)), (11.0, annotated)])) == [15.0, 5.0]


def test_its_holder_says_how_long_it_holds():
    assert waits(iter([(0.0, lease(0, holds=40)), (39.0, lease(0, holds=40))])) == [40.0, 1.0]


@pytest.mark.parametrize("found", [None, lease(0, holder=""), lease(0, holder=B)])
def test_a_lease_that_is_nobodys_or_its_own_is_taken_at_once(found: Lease | None):
    assert waits(iter([(0.0, found)])) == [0.0]


def test_a_new_holder_is_waited_for_anew():
    assert waits(iter([(0.0, lease(0)), (14.0, lease(0, holder="graft-c"))])) == [15.0, 15.0]


def test_a_claim_tells_when_the_holder_changed_and_when_it_was_renewed():
    taken = claim(lease(0, holder=""), holder=A, now=RENEWED, terms=TERMS)
    assert taken == {
        "holderIdentity": A,
        "leaseDurationSeconds": 15,
        "renewTime": "2026-01-01T12:00:00.000000Z",
        "acquireTime": "2026-01-01T12:00:00.000000Z",
    }
    renewed = claim(lease(0), holder=A, now=RENEWED, terms=TERMS)
    assert renewed == {key: value for key, value in taken.items() if key != "acquireTime"}


def test_a_leader_gives_up_before_its_lease_runs_out_and_can_try_twice_before():
    assert TERMS.acts < TERMS.holds
    assert 2 * TERMS.patience(TERMS.acts) <= TERMS.acts
    assert TERMS.patience(1.5) == 1.5

"""Replicas that wait for the Lease, hold it, and lose it, at a server that answers or does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import urllib3

from graft_operator.cluster.connection import Connection
from graft_operator.cluster.errors import NotLeadingError
from graft_operator.cluster.leases import NAME
from graft_operator.cluster.requests import Ref, create
from graft_operator.cluster.sending import Sender
from graft_operator.policies.leading import TERMS, Terms
from graft_operator.settings import Settings
from graft_operator.shell import health
from graft_operator.shell.leading import Leader
from graft_operator.shell.state import State
from tests.cluster.wait import until
from tests.shell.api_server import ApiServer

REF = Ref(kind="Lease", namespace="default", name=NAME)
QUICK = Terms(pause=0.02)  # holds and acts as long as always
SHORT = Terms(holds=1, acts=0.3, pause=0.02)
JOB = {"kind": "Job", "metadata": {"name": "reviews-t1", "namespace": "team"}}


@dataclass(slots=True, kw_only=True)
class Replica:
    """One that waits for the Lease or has it; `ended`: its process would have ended."""

    connection: Connection
    terms: Terms
    state: State = field(default_factory=State)
    ended: threading.Event = field(default_factory=threading.Event)
    leader: Leader = field(init=False)

    def __post_init__(self) -> None:
        settings = Settings(identity="graft-a")
        self.leader = Leader(
            self.connection, settings, self.state, terms=self.terms, end=self.ended.set
        )

    def leads(self) -> bool:
        return self.state.leads(time.monotonic())


Make = Callable[[Terms], Replica]


@pytest.fixture
def replica(api_server: ApiServer, connection: Connection) -> Iterator[Make]:
    """Makes replicas, which end with the test."""
    made: list[Replica] = []

    def make(terms: Terms) -> Replica:
        made.append(Replica(connection=connection, terms=terms))
        return made[-1]

    yield make
    api_server.open.set()
    for each in made:
        each.leader.give_back()


def held(server: ApiServer, holder: str, **spec: Any) -> None:
    """The Lease is that holder's, which renewed it long ago by its own clock."""
    spec = {"holderIdentity": holder, "renewTime": "2001-01-01T00:00:00.000000Z"} | spec
    server.put({"kind": "Lease", "metadata": {"name": NAME, "namespace": "default"}, "spec": spec})


def holder(server: ApiServer) -> str:
    return str(server.get(REF)["spec"]["holderIdentity"])


def test_a_replica_makes_the_lease_and_gives_it_back(api_server: ApiServer, replica: Make):
    one = replica(TERMS)
    one.leader.wait()
    assert (holder(api_server), one.leads()) == ("graft-a", True)
    one.leader.give_back()
    assert (holder(api_server), one.leads(), one.ended.is_set()) == ("", False, False)


def test_a_lease_is_taken_only_after_it_was_seen_for_as_long_as_it_holds(
    api_server: ApiServer, replica: Make
):
    held(api_server, "graft-b", leaseDurationSeconds=1)
    one = replica(QUICK)
    one.leader.wait()
    assert holder(api_server) == "graft-a"
    before = api_server.asked[: api_server.asked.index(f"PATCH {REF.path()}")]
    assert len(before) > 1, "one look tells how old it is only by the clock of another"


def test_a_standby_is_alive_and_not_ready_until_it_leads_and_has_its_lists(
    api_server: ApiServer, replica: Make
):
    held(api_server, "graft-b", leaseDurationSeconds=3600)
    one = replica(QUICK)
    listener = health.serve(one.state, Settings(health_host="127.0.0.1", health_port=0))

    def page(path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{listener.server_port}{path}"
        answer = urllib3.request("GET", url, retries=False)
        return answer.status, answer.data.decode()

    try:
        waiting = threading.Thread(target=one.leader.wait, daemon=True)
        waiting.start()
        until(lambda: api_server.count("GET", REF) > 2, "looks at the Lease")
        assert page("/readyz") == (503, "not leading\n")
        assert page("/healthz") == (200, "ok\n")
        held(api_server, "")
        waiting.join()
        assert page("/readyz") == (503, "listing\n")
        one.state.listed = True
        assert page("/readyz") == (200, "ok\n")
        one.leader.give_back()
        assert page("/readyz") == (503, "not leading\n")
    finally:
        listener.shutdown()
        listener.server_close()


def test_a_leader_renews_also_when_the_answers_are_lost_on_the_way(
    api_server: ApiServer, replica: Make
):
    api_server.lost = 2
    one = replica(QUICK)
    one.leader.wait()
    first = one.state.lead_until
    until(lambda: not api_server.lost, "two renewals without an answer")
    seen = one.state.lead_until
    until(lambda: one.state.lead_until > max(first, seen), "a renewal that is known of")
    assert not one.ended.is_set()


def test_a_leader_ends_at_once_when_the_lease_is_anothers(api_server: ApiServer, replica: Make):
    one = replica(QUICK)
    one.leader.wait()
    held(api_server, "graft-b", leaseDurationSeconds=1)
    assert one.ended.wait(60)
    assert (holder(api_server), one.leads()) == ("graft-b", False)


def test_a_leader_ends_in_time_although_its_renewal_waits_for_an_answer_without_end(
    api_server: ApiServer, replica: Make, connection: Connection
):
    one = replica(SHORT)
    sender = Sender(connection, per_second=1000, leads=one.leads)
    one.leader.wait()
    api_server.open.clear()
    assert one.ended.wait(60)
    assert not api_server.open.is_set()
    with pytest.raises(NotLeadingError, match="POST Job: not sent, the Lease"):
        sender.send(create(JOB))
    assert list(sender.items(Ref(kind="Job", namespace="team"))) == []
    assert api_server.count("POST", Ref(kind="Job", namespace="team")) == 0

"""Full lists, page by page, find what events have missed, and count it."""

from __future__ import annotations

import pytest

from graft_api.vocabulary import Label
from graft_operator.cluster.connection import Connection
from graft_operator.cluster.requests import Object, Ref
from graft_operator.cluster.sending import Sender
from graft_operator.metrics import REGISTRY
from graft_operator.settings import Settings
from graft_operator.shell import arrivals, lists, mending
from graft_operator.shell.mending import Differences
from graft_operator.shell.state import State
from tests.builders import subject
from tests.shell.api_server import ApiServer

KINDS = ("TransferJob", "Job")
LISTS = ("/apis/graft.dev/v1alpha1/transferjobs", "/apis/batch/v1/jobs")


def custom(name: str, **status: object) -> Object:
    """A TransferJob of that name."""
    made = subject().manifest()
    made["metadata"] = {"name": name, "namespace": "team"}
    return made | {"status": status}


def batch(name: str, **status: object) -> Object:
    """The batch Job of its first attempt."""
    labels = {Label.JOB: name, Label.KIND: "TransferJob", Label.ROLE: "worker"}
    owner = {"uid": f"uid-{name}", "controller": True}
    meta = {"name": f"{name}-t1", "namespace": "team", "labels": labels}
    meta |= {"ownerReferences": [owner]}
    return {"kind": "Job", "metadata": meta, "spec": {"parallelism": 1}, "status": status}


def put(server: ApiServer, name: str, **status: object) -> dict[str, Object]:
    """Both as the server has them now, by kind."""
    made = custom(name, **status), batch(name, **status)
    return {each["kind"]: server.put(each) for each in made}


def remove(server: ApiServer, name: str) -> None:
    server.remove(Ref(kind="TransferJob", namespace="team", name=name))
    server.remove(Ref(kind="Job", namespace="team", name=f"{name}-t1"))


def came(state: State, objects: dict[str, Object]) -> None:
    """Their events."""
    for kind, raw in objects.items():
        arrivals.came(state, raw, kind=kind)


def key(name: str) -> tuple[str, str, str]:
    return "TransferJob", "team", name


def queued(state: State) -> set[str]:
    """Names that wait; none does afterwards."""
    found = set()
    while state.queue.depth():
        taken, _ = state.queue.get()
        state.queue.done(taken)
        found.add(taken[2])
    return found


def corrections() -> list[float]:
    """What was counted until now, by kind."""
    name = "graft_resync_corrections_total"
    return [REGISTRY.get_sample_value(name, {"kind": kind}) or 0.0 for kind in KINDS]


@pytest.fixture
def sender(connection: Connection) -> Sender:
    """Of a replica that lists and writes nothing."""
    return Sender(connection, per_second=1000, leads=lambda: False)


@pytest.fixture
def state(api_server: ApiServer) -> State:
    """Five jobs and their batch Jobs, each known by its events and looked at."""
    made = State()
    for name in ("same", "changed", "late", "gone", "going"):
        came(made, put(api_server, name, active=1))
    queued(made)
    return made


def test_a_missed_addition_change_and_deletion_are_mended_and_counted_by_kind(
    api_server: ApiServer, sender: Sender, state: State
):
    put(api_server, "new", active=1)
    put(api_server, "changed", active=0)
    remove(api_server, "gone")
    before = corrections()
    found = mending.compare(state, sender, Settings())
    assert [api_server.asked.count(f"GET {path}") for path in LISTS] == [3, 3]
    assert mending.mend(state, sender, found) == {"TransferJob": 3, "Job": 3}
    assert [now - then for now, then in zip(corrections(), before, strict=True)] == [3, 3]
    assert queued(state) == {"new", "changed", "gone"}
    known = {head.name for head in state.cache.heads()}
    assert known == {"same", "changed", "late", "going", "new"}
    actives = {
        name: [job.active for job in state.cache.jobs(key(name), owner=f"uid-{name}")]
        for name in ("same", "changed", "gone", "new")
    }
    assert actives == {"same": [1], "changed": [0], "gone": [], "new": [1]}
    assert mending.compare(state, sender, Settings()) == Differences(came=(), gone=())


def test_what_is_only_late_is_neither_a_correction_nor_brought_back(
    api_server: ApiServer, sender: Sender, state: State
):
    late = put(api_server, "late", active=0)
    short = put(api_server, "short", active=1)
    going = put(api_server, "going", active=1)
    remove(api_server, "going")
    before = corrections()
    found = mending.compare(state, sender, Settings())
    assert {(kind, raw["metadata"]["name"]) for kind, raw in found.came} == {
        (kind, f"{name}{'-t1' if kind == 'Job' else ''}")
        for kind in KINDS
        for name in ("late", "short")
    }
    assert {(kind, name) for kind, (_, _, name), _ in found.gone} == {
        (kind, "going") for kind in KINDS
    }
    came(state, late)
    for objects in (short, going):
        for kind, raw in objects.items():
            arrivals.went(state, raw, kind=kind)
    remove(api_server, "short")
    assert mending.mend(state, sender, found) == {}
    assert corrections() == before
    assert {head.name for head in state.cache.heads()} == {"same", "changed", "late", "gone"}
    assert state.cache.jobs(key("short"), owner="uid-short") == ()


def test_a_list_that_is_older_than_the_newest_event_changes_nothing(
    api_server: ApiServer, sender: Sender, state: State
):
    put(api_server, "changed", active=0)
    found = mending.compare(state, sender, Settings())
    came(state, put(api_server, "changed", active=1))
    queued(state)
    assert mending.mend(state, sender, found) == {}
    assert queued(state) == set()
    (job,) = state.cache.jobs(key("changed"), owner="uid-changed")
    assert job.active == 1


def test_the_first_list_knows_every_batch_job_of_every_page(
    api_server: ApiServer, sender: Sender, state: State
):
    fresh = State()
    lists.prime(fresh, sender, Settings())
    assert set(fresh.cache.batches()) == set(state.cache.batches())
    assert len(fresh.cache.batches()) == 5


def test_only_the_namespaces_that_are_the_operators_are_listed(
    api_server: ApiServer, sender: Sender
):
    put(api_server, "here")
    settings = Settings(namespaces=("elsewhere", "team"))
    found = mending.compare(State(), sender, settings)
    assert len(found.came) == 2
    assert mending.compare(State(), sender, Settings(namespaces=("elsewhere",))).came == ()

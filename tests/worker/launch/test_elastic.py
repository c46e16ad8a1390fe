"""Gangs on loopback that lose and gain nodes: the curve stays that of one that nobody disturbed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graft_worker.run.agent import LOST_SECONDS
from tests.worker.launch.loopback import (
    RENDEZVOUS,
    Gang,
    Node,
    Prepared,
    Report,
    moment,
    new_rounds,
)
from tests.worker.waiting import until

EPOCHS = 24
LOST = timedelta(seconds=LOST_SECONDS + 1)
MIDDLE = 50  # steps, after which something happens; a checkpoint is older than that

MakeGang = Callable[[str, str], Gang]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return Prepared.make(tmp_path_factory.mktemp("store"), epochs=EPOCHS)


@pytest.fixture
def make_gang(prepared: Prepared) -> Iterator[MakeGang]:
    made: list[Gang] = []

    def make(name: str, nodes: str) -> Gang:
        made.append(prepared.gang(name, nodes))
        return made[-1]

    yield make
    for gang in made:
        gang.end()


@pytest.fixture(scope="module")
def peace(prepared: Prepared) -> Iterator[Gang]:
    """Two nodes that nobody disturbs."""
    gang = prepared.gang("peace", "2:2")
    try:
        nodes = [gang.node(), gang.node()]
        assert [node.code() for node in nodes] == [0, 0], gang.said()
        yield gang
    finally:
        gang.end()


def disturb(gang: Gang, fault: Callable[[], object], what: str) -> tuple[Report, Report]:
    """Brings the fault about; the reports before and after the workers were started anew."""
    now = datetime.now(UTC)
    fault()

    def found() -> list[tuple[Report, Report]]:
        return [pair for pair in new_rounds(gang.reports()) if moment(pair[1]) > now]

    until(found)
    before, after = found()[0]
    seconds = (moment(after) - now).total_seconds()
    print(f"{what}: {seconds:.1f} s to the next step, {after['worldSize']} processes")
    return before, after


def holds_rank_0(node: Node) -> bool:
    return '"rank": "0"' in node.log.read_text()


def ends_as(peace: Gang, gang: Gang, *nodes: Node) -> None:
    """The nodes end well, at the last step, after the curve of the undisturbed gang."""
    assert [node.code() for node in nodes] == [0] * len(nodes), gang.said()
    assert (gang.folder / "result.json").exists()
    expected, found = peace.losses(), gang.losses()
    assert max(found) == max(expected) == gang.reports()[-1]["totalSteps"]
    for step in expected.keys() & found.keys():
        assert found[step] == pytest.approx(expected[step], abs=1e-4)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(lambda node: not holds_rank_0(node), id="another than rank 0's"),
        pytest.param(holds_rank_0, id="rank 0's"),
    ],
)
def test_a_node_is_killed_and_the_others_go_on_without_it(
    peace: Gang, make_gang: MakeGang, lost: Callable[[Node], bool], request: pytest.FixtureRequest
) -> None:
    gang = make_gang(f"smaller-{request.node.callspec.id[:4]}", "1:3")
    nodes = [gang.node() for _ in range(3)]
    gang.reaches(MIDDLE, world=3)
    victim = next(node for node in nodes if lost(node))
    _, after = disturb(gang, victim.kill, f"kill -9 of a node, {request.node.callspec.id}")
    gang.reaches(after["step"] + 1, world=2)
    ends_as(peace, gang, *(node for node in nodes if node is not victim))


def test_a_node_that_is_replaced_costs_no_bit(peace: Gang, make_gang: MakeGang) -> None:
    gang = make_gang("replaced", "2:2")
    stays, goes = gang.node(), gang.node()
    gang.reaches(MIDDLE, world=2)
    disturb(gang, lambda: (goes.kill(), gang.node()), "kill -9 of a node and another in its place")
    ends_as(peace, gang, stays, gang.nodes[-1])
    expected, found = peace.losses(), gang.losses()
    assert {step: found[step] for step in expected.keys() & found.keys()} == {
        step: expected[step] for step in expected.keys() & found.keys()
    }
    assert weights(gang) == weights(peace)


def test_nodes_come_and_go_without_a_lost_step(peace: Gang, make_gang: MakeGang) -> None:
    gang = make_gang("welcome", "1:3")
    first, second = gang.node(), gang.node()
    gang.reaches(MIDDLE, world=2)
    _, after = disturb(gang, gang.node, "a node more, with its start")
    gang.reaches(after["step"] + 1, world=3)
    third = gang.nodes[-1]
    _, after = disturb(gang, third.stop, "SIGTERM to a node")
    gang.reaches(after["step"] + 1, world=2)
    assert third.code() == 75
    words = third.words()
    assert words
    assert (words.state, words.exit_code) == ("Stopped", 75)
    ends_as(peace, gang, first, second)
    assert gang.reports()[-1]["restarts"] == 0
    rounds = list(new_rounds(gang.reports()))
    assert [after["step"] for _, after in rounds] == [before["step"] + 1 for before, _ in rounds]


def test_who_waits_for_a_silent_node_is_not_waited_for(make_gang: MakeGang) -> None:
    gang = make_gang("silent", "2:2")
    patient = RENDEZVOUS | {"keep_alive_max_attempt": "100"}
    conf = ",".join(f"{key}={value}" for key, value in patient.items())
    stays, silent = (gang.node(PET_RDZV_CONF=conf) for _ in range(2))
    gang.reaches(MIDDLE, world=2)
    silent.freeze()
    until(lambda: datetime.now(UTC) - moment(gang.reports()[-1]) > LOST)
    stays.stop()
    assert stays.code() == 137
    words = stays.words()
    assert words
    assert words.message.endswith("waited for another node, which is silent, and was killed")


def test_without_the_store_no_launcher_stays(make_gang: MakeGang) -> None:
    gang = make_gang("storeless", "1:3")
    nodes = [gang.node() for _ in range(3)]
    gang.reaches(MIDDLE, world=3)
    workers = [worker for node in nodes for worker in node.below()]
    assert len(workers) == 6  # each node has a nursery, too
    gang.store.kill()
    assert [node.code() for node in nodes] == [1, 1, 1]
    for node in nodes:
        words = node.words()
        assert words
        assert words.failure_class == "InfrastructureError"
        assert "The connection to the C10d store has failed" in words.message
    until(lambda: not any(worker.is_running() for worker in workers))


def weights(gang: Gang) -> bytes:
    uri = gang.nodes[0].words() or gang.nodes[1].words()
    assert uri
    return (Path(uri.artefact_uri) / "model.safetensors").read_bytes()

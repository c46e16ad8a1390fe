"""The same training alone and in gangs of two and three real processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graft_worker.data import order
from graft_worker.distributed.process import Process
from tests.worker.distributed import gang
from tests.worker.train import scenarios, tiny

STRATEGIES = ("ddp", "fsdp")
TOLERANCE = 1e-5
# Three leave a process without a part of some tensors, and sum in more than one order.
DONE_BY = {2: tuple(scenarios.SCENARIOS), 3: ("plain", "lamb", "frozen")}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("alone")
    return scenarios.all_of(Process(), str(root), ("auto",), tuple(scenarios.SCENARIOS))


@pytest.fixture(scope="module", params=[2, 3], ids=["two processes", "three processes"])
def ranks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], ...]:
    root = tmp_path_factory.mktemp(f"gang{request.param}")
    return gang.run(request.param, scenarios.all_of, str(root), STRATEGIES, DONE_BY[request.param])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_gang_and_single_process_agree_on_curve_weights_and_metrics(
    alone: dict[str, Any], ranks: tuple[dict[str, Any], ...], strategy: str
) -> None:
    for scenario in DONE_BY[len(ranks)]:
        single = alone[f"{scenario} auto"]
        lead = ranks[0][f"{scenario} {strategy}"]
        assert (single.strategy, lead.strategy) == ("whole", strategy)
        np.testing.assert_allclose(
            lead.losses, single.losses, atol=TOLERANCE, rtol=0, err_msg=scenario
        )
        assert scenarios.close(lead.weights, single.weights) < TOLERANCE, scenario
        assert lead.metrics == pytest.approx(single.metrics, abs=TOLERANCE), scenario


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_all_ranks_see_the_same_losses_and_metrics(
    ranks: tuple[dict[str, Any], ...], strategy: str
) -> None:
    of = [rank[f"plain {strategy}"] for rank in ranks]
    assert all(other.losses == of[0].losses for other in of)
    assert all(other.metrics == of[0].metrics for other in of)
    assert [bool(other.weights) for other in of] == [True] + [False] * (len(of) - 1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_epoch_reads_every_row_exactly_once_over_all_ranks(
    ranks: tuple[dict[str, Any], ...], strategy: str
) -> None:
    read = sorted(row for rank in ranks for row in rank[f"plain {strategy}"].samples)
    half = order.samples_at(42, 2 * 37, 92 - 2 * 37, 37)[1].tolist()
    assert read == sorted([*range(37), *range(37), *half])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_signal_to_one_rank_stops_all_after_the_same_step_and_the_run_goes_on_bit_for_bit(
    ranks: tuple[dict[str, Any], ...], strategy: str
) -> None:
    for rank in ranks:
        message, resumed = rank[f"stopped {strategy}"]
        whole = rank[f"whole {strategy}"]
        assert message == "stopped after step 4 of 12: the state of step 4 is saved"
        assert resumed.losses == whole.losses[4:]
        assert resumed.steps == list(range(5, 13))
        assert resumed.weights.keys() == whole.weights.keys()
        assert all(np.array_equal(w, whole.weights[n]) for n, w in resumed.weights.items())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_checkpoint_that_any_rank_is_asked_for_is_known_to_all_and_changes_no_bit(
    ranks: tuple[dict[str, Any], ...], strategy: str
) -> None:
    for rank in ranks:
        known, outcome = rank[f"asked {strategy}"]
        whole = rank[f"whole {strategy}"]
        # It is written while step 5 is done, and waited for after that.
        assert (known[:4], known[5:]) == ([None] * 4, [4] * 7)
        assert outcome.losses == whole.losses
        assert outcome.weights.keys() == whole.weights.keys()
        assert all(np.array_equal(w, whole.weights[n]) for n, w in outcome.weights.items())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_save_copies_the_state_once_where_it_is_written_and_nothing_elsewhere(
    ranks: tuple[dict[str, Any], ...], strategy: str
) -> None:
    (lead, state), *others = (rank[f"copied {strategy}"] for rank in ranks)
    assert (lead, others) == (state, [(0, state)] * len(others))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_frozen_parameters_are_bit_identical_after_training(
    ranks: tuple[dict[str, Any], ...], strategy: str
) -> None:
    before = scenarios.weights(dict(tiny.Classifier().state_dict()))
    after = ranks[0][f"frozen {strategy}"].weights
    same = {name for name in before if np.array_equal(before[name], after[name])}
    assert same == {n for n in before if n.startswith(("encoder.embedding", "encoder.layers.0"))}


def test_a_run_killed_in_the_middle_ends_with_the_undisturbed_weights(
    alone: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="a process ended without a word"):
        gang.run(1, scenarios.killed, str(tmp_path))
    resumed = scenarios.trained(tmp_path, Process(), saving=scenarios.every(5))
    whole = alone["whole auto"]
    assert resumed.losses == whole.losses[-len(resumed.losses) :]
    assert all(np.array_equal(w, whole.weights[n]) for n, w in resumed.weights.items())

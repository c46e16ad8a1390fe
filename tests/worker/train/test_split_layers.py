"""Layers split between processes: two, or two times two, do what one does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graft_api.errors import ConfigError
from graft_worker.distributed import splits
from graft_worker.distributed.process import Process
from graft_worker.models import dividing
from tests.worker.distributed import gang
from tests.worker.train import scenarios, split_networks
from tests.worker.train.split_networks import CASES, CUT, STEPS, cut, follows, trained

OF_FOUR = {"bert": "ddp", "lamb": "fsdp", "albert": "ddp", "frozen": "fsdp"}
Found = dict[str, Any]


def of_two(process: Process, root: str) -> Found:
    """One model in two processes; and trainings that go on from another world's checkpoint."""
    member, at = splits.split(process, 2), Path(root)
    found: Found = {name: trained(at / name, member, name) for name in CASES}
    found["words"] = split_networks.pretrained(at / "words", member)
    found["left"] = cut(at / "left", member, "bert")
    if process.leads:
        shutil.copytree(at / "left", at / "again")
        shutil.copytree(at / "left", at / "beside")
    process.any(False)
    found["again"] = trained(at / "again", member, "bert")
    found["beside"] = trained(at / "beside", process, "bert")
    cut(at / "taken", process, "bert")
    return found | {"taken": trained(at / "taken", member, "bert")}


def of_four(process: Process, root: str) -> Found:
    """Two models in two processes each, and one in four."""
    two, four, at = splits.split(process, 2), splits.split(process, 4), Path(root)
    found: Found = {
        name: trained(at / name, two, name, strategy=strategy) for name, strategy in OF_FOUR.items()
    }
    found["words"] = split_networks.pretrained(at / "words", two)
    return found | {"gradients": trained(at / "gradients", four, "gradients")}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("split")


@pytest.fixture(scope="module")
def alone(root: Path) -> dict[str, scenarios.Trained]:
    folder = root / "alone"
    found = {name: trained(folder / name, Process(), name) for name in CASES}
    return found | {"words": split_networks.pretrained(folder / "words", Process())}


@pytest.fixture(scope="module")
def two(root: Path) -> tuple[Found, ...]:
    return gang.run(2, of_two, str(root / "two"))


@pytest.fixture(scope="module")
def four(root: Path) -> tuple[Found, ...]:
    return gang.run(4, of_four, str(root / "four"))


@pytest.mark.parametrize("name", [*CASES, "words"])
def test_two_processes_with_half_of_each_layer_do_what_one_does(
    alone: dict[str, scenarios.Trained], two: tuple[Found, ...], name: str
) -> None:
    _agree(alone, two, name, strategy="whole")


@pytest.mark.parametrize(
    ("name", "strategy"), [*OF_FOUR.items(), ("words", "ddp"), ("gradients", "whole")]
)
def test_so_do_four_that_split_layers_and_rows(
    alone: dict[str, scenarios.Trained], four: tuple[Found, ...], name: str, strategy: str
) -> None:
    _agree(alone, four, name, strategy=strategy)


def _agree(
    alone: dict[str, scenarios.Trained], ranks: tuple[Found, ...], name: str, *, strategy: str
) -> None:
    tolerance = CASES[name].tolerance if name in CASES else 1e-5
    assert {rank[name].strategy for rank in ranks} == {strategy}
    assert all(rank[name].losses == ranks[0][name].losses for rank in ranks)
    assert len(ranks[0][name].losses) == STEPS
    assert all(rank[name].flops == alone[name].flops for rank in ranks)
    follows(ranks[0][name], alone[name], tolerance)


def test_neighbours_read_the_same_rows_and_pairs_of_them_share_all(
    alone: dict[str, scenarios.Trained], four: tuple[Found, ...]
) -> None:
    read = [rank["bert"].samples for rank in four]
    assert (read[0], read[2]) == (read[1], read[3])
    assert sorted(read[0] + read[2]) == sorted(alone["bert"].samples)


def test_frozen_parts_of_layers_keep_their_bits(four: tuple[Found, ...]) -> None:
    network = split_networks.classifier(split_networks.BERT)
    before = scenarios.weights(dict(network.state_dict()))
    after = four[0]["frozen"].weights
    same = {name for name in before if np.array_equal(before[name], after[name])}
    assert same == {n for n in before if n.startswith(("encoder.embed", "encoder.layers.0."))}


def test_a_stopped_run_goes_on_bit_for_bit(two: tuple[Found, ...]) -> None:
    for rank in two:
        assert rank["left"] == f"stopped after step {CUT} of {STEPS}"
        assert rank["again"].losses == rank["bert"].losses[CUT:]
        assert rank["again"].flops == rank["bert"].flops[CUT:]
    whole, again = two[0]["bert"].weights, two[0]["again"].weights
    assert again.keys() == whole.keys()
    assert all(np.array_equal(weight, whole[name]) for name, weight in again.items())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("beside", id="from split layers to whole ones in two processes"),
        pytest.param("taken", id="from whole layers in two processes to split ones"),
    ],
)
def test_a_run_goes_on_however_layers_were_split_before(
    alone: dict[str, scenarios.Trained], two: tuple[Found, ...], name: str
) -> None:
    assert two[0][name].steps == list(range(CUT + 1, STEPS + 1))
    follows(two[0][name], alone["bert"])


def test_one_process_goes_on_from_split_layers_and_finds_the_tensors_of_its_own(
    root: Path, alone: dict[str, scenarios.Trained], two: tuple[Found, ...]
) -> None:
    assert len(two) == 2
    cut(root / "own", Process(), "bert")
    assert split_networks.shapes(root / "two/left") == split_networks.shapes(root / "own")
    follows(trained(root / "two/left", Process(), "bert"), alone["bert"])


def test_a_gang_that_cannot_be_divided_is_refused() -> None:
    with pytest.raises(ConfigError) as raised:
        splits.split(Process(world=3), 2)
    assert str(raised.value) == (
        "workers.parallel.tensor: 2 processes split a layer, and the gang has 3\n"
        "  use a multiple of 2 processes"
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param(
            {"num_attention_heads": 3, "intermediate_size": 64},
            "spec.workers.parallel.tensor: 2 does not divide the 3 attention heads of the model",
            id="heads",
        ),
        pytest.param(
            {"model_type": "albert", "num_attention_heads": 4, "intermediate_size": 65},
            "spec.workers.parallel.tensor: 2 does not divide the 65 inner features (intermediate"
            " size) of the model",
            id="inner features",
        ),
        pytest.param(
            {"model_type": "distilbert", "n_heads": 4},
            "spec.workers.parallel.tensor: 2, but layers of distilbert cannot be split here",
            id="another family",
        ),
    ],
)
def test_a_model_that_cannot_be_divided_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        dividing.check_config(config, 2, families=("bert", "albert"))
    assert raised.value.message == message


def test_sizes_that_can_be_divided_are_taken_and_one_process_takes_any() -> None:
    dividing.check_config({"num_attention_heads": 4}, 2, families=("bert",))
    dividing.check_config({"model_type": "t5"}, 1, families=("bert",))

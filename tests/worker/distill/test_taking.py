"""A student made of a teacher's layers holds their very weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from graft_api.errors import ConfigError
from graft_worker.distill.taking import even, taken
from graft_worker.models import build
from graft_worker.models.weights import read_weights
from tests.worker import small


@pytest.mark.parametrize(
    ("layers", "of", "chosen"),
    [
        (1, 2, (1,)),
        (2, 2, (0, 1)),
        (3, 4, (1, 2, 3)),
        (4, 12, (2, 5, 8, 11)),
        (5, 12, (2, 4, 7, 9, 11)),
    ],
)
def test_layers_are_taken_evenly_and_the_last_is_among_them(
    layers: int, of: int, chosen: tuple[int, ...]
) -> None:
    assert even(layers, of=of) == chosen


def test_a_student_of_one_layer_has_the_teachers_last_and_all_around_it(tmp_path: Path) -> None:
    teacher = small.published(tmp_path / "store").uri
    folder = taken(teacher, 1, into=tmp_path / "student")
    whole = read_weights(teacher)
    found = read_weights(folder)
    assert {name for name in found if ".layer." in name} == {
        name.replace(".layer.1.", ".layer.0.") for name in whole if ".layer.1." in name
    }
    for name, tensor in found.items():
        assert torch.equal(tensor, whole[name.replace(".layer.0.", ".layer.1.")])
    encoder = build.load_encoder(folder, random=False, seed=0, vocabulary=None)
    assert encoder.config.layers == 1


def test_all_layers_make_the_teacher_again(tmp_path: Path) -> None:
    teacher = small.published(tmp_path / "store").uri
    folder = taken(teacher, 2, into=tmp_path / "student")
    whole, found = read_weights(teacher), read_weights(folder)
    assert found.keys() == whole.keys()
    assert all(torch.equal(found[name], whole[name]) for name in whole)


def test_a_student_of_an_albert_has_its_weights_and_fewer_steps(tmp_path: Path) -> None:
    from tests.worker.models.texts_of_ids import library_albert

    library_albert(tmp_path / "teacher", "AlbertForSequenceClassification", num_hidden_layers=12)
    folder = taken(tmp_path / "teacher", 3, into=tmp_path / "student")
    whole, found = read_weights(tmp_path / "teacher"), read_weights(folder)
    assert found.keys() == whole.keys()
    assert all(torch.equal(found[name], whole[name]) for name in whole)
    encoder = build.load_encoder(folder, random=False, seed=0, vocabulary=None)
    assert encoder.config.layers == 3


def test_of_an_albert_with_several_groups_no_layers_are_taken(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"model_type": "albert", "num_hidden_layers": 12, "num_hidden_groups": 4}'
    )
    with pytest.raises(ConfigError) as caught:
        taken(tmp_path, 3, into=tmp_path / "student")
    assert str(caught.value) == (
        "spec.student.from.teacher.layers: layers can be taken of an ALBERT with one group of"
        f" shared layers; {tmp_path} has 4\n  use student.from.config, zoo or uri"
    )


def test_more_layers_than_there_are_is_refused(tmp_path: Path) -> None:
    teacher = small.published(tmp_path / "store").uri
    with pytest.raises(ConfigError) as caught:
        taken(teacher, 3, into=tmp_path / "student")
    assert str(caught.value) == (
        "spec.student.from.teacher.layers: 3, but the teacher has 2\n  use 1 to 2"
    )
    assert not (tmp_path / "student").exists()

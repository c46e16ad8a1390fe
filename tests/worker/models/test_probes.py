"""Probes read what an encoder knows before each layer, and leave its own answer as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from graft_worker.data.batch import Batch
from graft_worker.models.build import load_encoder
from graft_worker.models.encoder import LayeredEncoder
from graft_worker.models.heads import SequenceClassifier
from graft_worker.models.probes import ProbedClassifier, Probes, States, states
from tests.worker.models.texts_of_ids import library_bert, packed, padded, texts

LENGTHS = (9, 3, 11, 2)
IDS = texts(LENGTHS, vocabulary=97)


def library_states(folder: Path, model: Any) -> list[list[Tensor]]:
    """For each text alone what the library's model knows: mean of the embedded, first tokens."""
    found = []
    for ids in IDS:
        types = (torch.arange(len(ids)) >= len(ids) // 2).long()
        with torch.no_grad():
            out = model(input_ids=ids[None], token_type_ids=types[None], output_hidden_states=True)
        embedded, *layers = (state[0] for state in out.hidden_states)
        found.append([embedded.mean(dim=0), *(layer[0] for layer in layers)])
    return found


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param(padded(IDS), id="one text per row"),
        pytest.param(packed(IDS, [[3, 1], [], [2, 0]], 24), id="packed, out of order"),
    ],
)
def test_states_are_the_librarys_of_each_text_alone(tmp_path: Path, batch: Batch) -> None:
    model = library_bert(tmp_path, num_hidden_layers=3)
    encoder = load_encoder(tmp_path, random=False, seed=0, vocabulary=None)
    with torch.no_grad():
        found = cast("LayeredEncoder", encoder.eval()).layered(batch)  # type: ignore[attr-defined]
        read = states(found, batch)
    wanted = torch.stack([torch.stack(row) for row in library_states(tmp_path, model)])
    torch.testing.assert_close(read, wanted[:, :3], atol=1e-5, rtol=0)
    torch.testing.assert_close(found.firsts[2], wanted[:, 3], atol=1e-5, rtol=0)


def classifier(folder: Path, family: str) -> SequenceClassifier:
    if family == "bert":
        library_bert(folder)
    else:
        from transformers import RobertaConfig, RobertaModel

        sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 97}
        sizes |= {"num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 50}
        torch.manual_seed(3)
        RobertaModel(RobertaConfig(**sizes)).save_pretrained(folder)
    encoder = load_encoder(folder, random=False, seed=0, vocabulary=None)
    return SequenceClassifier(encoder, outputs=3, dropout=0.0, seed=1).eval()


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_the_last_answer_is_the_heads_own_to_the_bit(tmp_path: Path, family: str) -> None:
    model, batch = classifier(tmp_path, family), padded(IDS)
    probes = Probes(layers=2, hidden=32, outputs=3).draw(seed=5)
    with torch.no_grad():
        answers = ProbedClassifier(model, probes)(batch)
        read = States(model)(batch)
        assert torch.equal(answers[:, -1], model(batch))
    wanted = [read[:, i] @ probes.weight[i].T + probes.bias[i] for i in range(2)]
    torch.testing.assert_close(answers[:, :2], torch.stack(wanted, dim=1), atol=1e-5, rtol=0)


def test_first_weights_depend_on_the_seed_alone() -> None:
    first, again, other = (
        Probes(layers=2, hidden=4, outputs=3).draw(seed=seed).weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)

"""What a network tells of its FLOPs is what the benchmarks' formula and torch's own counter say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.ceiling import Shape, head_flops, training_flops
from graft_api.methods.finetune import Finetune
from graft_worker.data.batch import Asked, Batch
from graft_worker.models.bert import BertEncoder
from graft_worker.models.convolutional import ConvolutionalEncoder
from graft_worker.models.convolutional import encoder_config as convolutional_config
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.heads import SequenceClassifier
from graft_worker.models.masked import MaskedLanguageModel
from graft_worker.models.probes import ProbedClassifier, Probes
from graft_worker.transfer import finetune
from tests.worker.models.texts_of_ids import packed, padded, texts

HIDDEN, INNER, VOCABULARY, CLASSES, NARROW = 16, 40, 97, 3, 8
LENGTHS = (19, 5, 11)
TOKENS, ATTENDED = 35, 19 * 19 + 5 * 5 + 11 * 11
PACKED = packed(texts(LENGTHS, vocabulary=VOCABULARY), [[1, 0], [2]], 24)
FULL = padded(texts((24, 24), vocabulary=VOCABULARY))  # no slot of it is padding

BERT: dict[str, Any] = {}
ALBERT = {"architecture": "albert", "embedding": NARROW, "groups": 1}
SETS = ALBERT | {"groups": 3}
PAIR = ALBERT | {"inner": 2}  # PAI-ALBERT's group of two
NETWORKS = [
    pytest.param(BERT, 12, id="twelve layers"),
    pytest.param(ALBERT, 12, id="one layer applied twelve times"),
    pytest.param(SETS, 12, id="three layers applied four times each"),
    pytest.param(PAIR, 24, id="a group of two applied twelve times"),
]


def encoder(changed: dict[str, Any]) -> BertEncoder:
    sizes: dict[str, Any] = {
        "architecture": "bert",
        "vocabulary": VOCABULARY,
        "hidden": HIDDEN,
        "layers": 12,
        "heads": 2,
        "intermediate": INNER,
        "max_positions": 64,
        "dropout": 0.0,
    }
    return BertEncoder.random(EncoderConfig(**sizes | changed), seed=1)


def classifier(changed: dict[str, Any]) -> SequenceClassifier:
    return SequenceClassifier(encoder(changed), outputs=CLASSES, dropout=0.0, seed=1)


def masked(changed: dict[str, Any], *, pairs: bool = False) -> MaskedLanguageModel:
    return MaskedLanguageModel(encoder(changed), seed=1, pairs=pairs)


def asking(batch: Batch, count: int) -> Batch:
    """The batch that asks for the first tokens of its first row."""
    slots = torch.arange(count)
    asked = Asked(slots=slots, answers=slots, sequences=slots * 0, shares=torch.ones(count))
    return replace(batch, asked=asked)


def formula(layers: int, changed: dict[str, Any]) -> float:
    """FLOPs of that many passes through a layer, of embeddings that are made wider before."""
    shape = Shape(layers=layers, hidden=HIDDEN, intermediate=INNER)
    wider = TOKENS * 6 * changed.get("embedding", 0) * HIDDEN
    return wider + training_flops(shape, tokens=TOKENS, attended=ATTENDED / TOKENS)


@pytest.mark.parametrize(("changed", "uses"), NETWORKS)
def test_hidden_words_take_every_use_of_a_layer_and_the_head_where_it_is_asked(
    changed: dict[str, Any], uses: int
) -> None:
    shape = Shape(layers=uses, hidden=HIDDEN, intermediate=INNER)
    head = head_flops(shape, VOCABULARY, embedding=changed.get("embedding", 0))
    told = masked(changed).arithmetic().of(asking(PACKED, 4))
    assert told == pytest.approx(formula(uses, changed) + 4 * head, rel=1e-12)


@pytest.mark.parametrize(("changed", "uses"), NETWORKS)
def test_a_classifier_takes_the_last_layer_pooler_and_head_once_a_sequence(
    changed: dict[str, Any], uses: int
) -> None:
    """Of the last layer every token takes key and value, and is attended by one."""
    every = 6 * 2 * HIDDEN * HIDDEN + 12 * HIDDEN
    once = 6 * (2 * HIDDEN * HIDDEN + 2 * HIDDEN * INNER + HIDDEN * HIDDEN + HIDDEN * CLASSES)
    told = classifier(changed).arithmetic().of(PACKED)
    assert told == pytest.approx(formula(uses - 1, changed) + TOKENS * every + 3 * once, rel=1e-12)


def test_the_share_of_an_albert_was_told_twelve_times_too_low() -> None:
    """By layers alone an ALBERT takes what a BERT of its depth does, with a twelfth of weights."""
    wider = 6 * NARROW * HIDDEN
    deep, shared = (encoder(changed).arithmetic() for changed in (BERT, ALBERT))
    assert shared == replace(deep, token=deep.token + wider)


def summed(found: Tensor | tuple[Tensor, ...]) -> Tensor:
    parts = found if isinstance(found, tuple) else (found,)
    return torch.stack([part.sum() for part in parts]).sum()


def counted(module: nn.Module, batch: Batch) -> float:
    """FLOPs of the products that torch does for a pass forward and back."""
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(summed(module(batch)))
    return float(counter.get_total_flops())


def textcnn() -> SequenceClassifier:
    raw = {"model_type": "textcnn", "vocab_size": VOCABULARY, "embedding_size": 12}
    config = convolutional_config(raw | {"num_filters": 5, "filter_sizes": [2, 3]})
    made = ConvolutionalEncoder.random(config, seed=1)
    return SequenceClassifier(made, outputs=CLASSES, dropout=0.0, seed=1)


@pytest.mark.parametrize(
    ("module", "batch"),
    [
        pytest.param(masked(BERT), asking(FULL, 5), id="hidden words"),
        pytest.param(masked(PAIR, pairs=True), asking(FULL, 5), id="hidden words and pairs"),
        pytest.param(classifier(BERT), FULL, id="classes by a BERT"),
        pytest.param(classifier(ALBERT), FULL, id="classes by an ALBERT"),
        pytest.param(textcnn(), FULL, id="classes by windows"),
    ],
)
def test_rows_without_padding_take_what_torch_counts(
    module: MaskedLanguageModel | SequenceClassifier, batch: Batch
) -> None:
    assert module.arithmetic().of(batch) == counted(module, batch)


def test_the_sides_of_a_pair_share_its_tokens() -> None:
    raw = {"model_type": "bicnn", "vocab_size": VOCABULARY, "embedding_size": 12, "hidden_size": 7}
    config = convolutional_config(raw | {"num_filters": 5, "filter_sizes": [2, 3]})
    told = ConvolutionalEncoder.random(config, seed=1).arithmetic()
    windows, compared = 5 * 12 * (2 + 3), 4 * (2 * 5 + 12) * 7
    assert (told.token, told.sequence, told.attended) == (6 * windows, 6 * compared, 0)


def test_probes_take_a_product_for_each_of_their_answers() -> None:
    own = classifier(BERT)
    probed = ProbedClassifier(own, Probes(layers=12, hidden=HIDDEN, outputs=CLASSES))
    more = 6 * 12 * CLASSES * HIDDEN
    told = own.arithmetic()
    assert probed.arithmetic() == replace(told, sequence=told.sequence + more)


def test_frozen_layers_are_passed_forward_alone() -> None:
    whole, frozen = classifier(BERT), classifier(BERT)
    finetune.groups(frozen, Finetune(freeze_layers=3), 0.0)
    layer = formula(1, BERT)
    assert whole.arithmetic().of(PACKED) - frozen.arithmetic().of(PACKED) == pytest.approx(
        3 * layer * 2 / 3, rel=1e-12
    )

"""A real but tiny BERT, its tokenizer, and an artefact of it, for tests of what uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from graft_api.app import App as Spec
from graft_worker.apps import registry
from graft_worker.apps.app import App
from graft_worker.data.prepared import Problem
from graft_worker.data.rows import Row
from graft_worker.export.artefact import Published, publish
from graft_worker.export.contents import Contents, DataFacts, Golden, Origin, Result
from graft_worker.models.bert import BertEncoder
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.heads import SequenceClassifier
from graft_worker.models.hugging_face import config_json

WORDS = ("the", "film", "plot", "was", "not", "very", "good", "bad", "dull", "slow", "and", "end")
PIECES = tuple("abcdefghijklmnopqrstuvwxyz好坏电影很") + tuple(
    f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"
)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LABELS: Mapping[Problem, tuple[str, ...]] = {
    "single_label": ("bad", "good"),
    "multi_label": ("dull", "slow", "bright"),
    "regression": (),
}


def tokenizer() -> Tokenizer:
    """A WordPiece tokenizer of BERT's form with some seventy ids."""
    vocabulary = dict.fromkeys((*SPECIAL, *WORDS, *PIECES))
    ids = {word: number for number, word in enumerate(vocabulary)}
    made = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    made.add_special_tokens(list(SPECIAL))
    return made


def encoder(*, seed: int = 0) -> BertEncoder:
    """Two layers of 16 features with weights far enough from zero that texts differ."""
    config = EncoderConfig(
        architecture="bert",
        vocabulary=tokenizer().get_vocab_size(),
        hidden=16,
        layers=2,
        heads=4,
        intermediate=32,
        max_positions=64,
        raw={"initializer_range": 0.5},
    )
    return BertEncoder.random(config, seed=seed)


def app(
    name: str = "text_classify",
    *,
    problem: Problem = "single_label",
    params: Mapping[str, Any] | None = None,
) -> App:
    """An app over the labels of `LABELS`."""
    spec = Spec.model_validate({"name": name, "params": dict(params or {})})
    return registry.build(spec, problem=problem, labels=LABELS[problem])


def classifier(made: App, *, seed: int = 0) -> SequenceClassifier:
    """The app's network, ready to answer."""
    module = made.model(encoder(seed=seed), 0.0, seed=seed)
    assert isinstance(module, SequenceClassifier)
    with torch.no_grad():
        module.classifier.weight.mul_(20)  # logits of some size, so that labels differ
    return module.eval()


def rows(texts: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows keyed by role."""
    return [Row(values, "made.tsv", line) for line, values in enumerate(texts, 2)]


def contents(made: App, module: SequenceClassifier, **changed: Any) -> Contents:
    """Everything of an artefact, with a column of its own name for the first text."""
    texts = [role.name for role in made.roles() if role.kind == "text" and role.required]
    whole = Contents(
        job="reviews",
        spec={"metadata": {"name": "reviews"}, "spec": {"app": {"name": made.name}}},
        app=made.name,
        variant={"text_classify": "encoder", "text_match": "single_tower"}[made.name],
        method="finetune",
        params={},
        problem=made.problem,
        labels=made.labels,
        columns={name: name for name in (*texts, "label")},
        max_length=12,
        config=config_json(module.encoder, made.problem, made.labels),
        weights=module.hugging_face_state(),
        tokenizer=tokenizer().to_str(),
        origin=Origin(name="tiny", digest="sha256:" + "0" * 64, random=True),
        data=(DataFacts(split="train", source="train.tsv", sha256="1" * 64, rows=9),),
        results=(Result(split="validation", rows=40, metrics={"accuracy": 0.9}),),
        golden=(Golden(inputs={"text": "good"}, logits=(0.5, -0.25)),),
        profile={"rows": 9},
        versions={"torch": "2"},
    )
    return replace(whole, **changed)


def published(store: Path, made: App | None = None, **changed: Any) -> Published:
    """An artefact of a tiny model in a store."""
    made = made or app()
    return publish(store, contents(made, classifier(made), **changed))

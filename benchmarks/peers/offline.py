"""Offline inference by the usual libraries: the same vectors of the same texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.child import Baton, Options

Encode = Callable[[Sequence[str]], Any]  # to vectors [N, H]


def sentence_transformers(options: Options, baton: Baton) -> Mapping[str, Any]:
    """`encode`, which sorts by length; options `dtype` and `batch`, the library's 32 at first."""
    from benchmarks.peers import sentences

    model = sentences.model(
        options["artefact"], max_length=options["maxLength"], dtype=options["dtype"]
    )
    size = options["batch"]
    return _laps(
        lambda texts: model.encode(list(texts), batch_size=size, show_progress_bar=False),
        options,
        baton,
    )


def pipeline(options: Options, baton: Baton) -> Mapping[str, Any]:
    """The pipeline `feature-extraction`, text by text, and the pooling that it leaves to others.

    With a batch_size it would pad, and a mean over tokens then counts padding.
    """
    import torch
    from transformers import AutoModel, pipeline

    model = AutoModel.from_pretrained(options["artefact"]).eval()
    extract = pipeline(
        "feature-extraction",
        model=model,
        tokenizer=options["artefact"],
        device="cpu",
        tokenize_kwargs={"truncation": True, "max_length": options["maxLength"]},
        return_tensors=True,
    )

    def encode(texts: Sequence[str]) -> Any:
        with torch.inference_mode():
            first = torch.stack([found[0, 0] for found in extract(list(texts))])
            return torch.tanh(model.pooler.dense(first))

    return _laps(encode, options, baton)


def _laps(encode: Encode, options: Options, baton: Baton) -> Mapping[str, Any]:
    import torch

    torch.set_num_threads(options["threads"])
    texts = options["texts"]
    if options["mode"] == "answers":
        return {"vectors": encode(texts).tolist()}
    baton.begin()
    while True:
        encode(texts)
        baton.lap(texts=len(texts))

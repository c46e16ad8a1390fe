"""The vector of sentence-transformers that is ours: pooled as the classifier's head reads it."""

from __future__ import annotations

from typing import Any

MAX_LENGTH = 128  # tokens, as the artefact was trained with


def model(folder: str, *, max_length: int, dtype: str) -> Any:
    """A SentenceTransformer of an artefact: first token, dense, tanh, length 1."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    kwargs = {"dtype": getattr(torch, dtype)}
    encoder = Transformer(folder, max_seq_length=max_length, model_kwargs=kwargs)
    pooler = encoder.model.pooler.dense
    width = pooler.in_features
    dense = Dense(width, width, init_weight=pooler.weight, init_bias=pooler.bias)
    modules = [encoder, Pooling(width, pooling_mode="cls"), dense, Normalize()]
    return SentenceTransformer(modules=modules, device="cpu").to(getattr(torch, dtype)).eval()

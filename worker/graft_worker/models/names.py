"""What the `transformers` library calls the weights of BERT's family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from graft_worker.models import reuse
from graft_worker.models.encoder import EncoderConfig

Place = tuple[str, tuple[str, ...]]  # our name and theirs; several where ours is their sequence
_Parts = Mapping[str, tuple[str, ...]]

_HEADS = ("query", "key", "value")
_BERT: _Parts = MappingProxyType(
    {
        "qkv": tuple(f"attention.self.{head}" for head in _HEADS),
        "out": ("attention.output.dense",),
        "attention_norm": ("attention.output.LayerNorm",),
        "up": ("intermediate.dense",),
        "down": ("output.dense",),
        "norm": ("output.LayerNorm",),
    }
)
_ALBERT: _Parts = MappingProxyType(
    {
        "qkv": tuple(f"attention.{head}" for head in _HEADS),
        "out": ("attention.dense",),
        "attention_norm": ("attention.LayerNorm",),
        "up": ("ffn",),
        "down": ("ffn_output",),
        "norm": ("full_layer_layer_norm",),
    }
)


def places(config: EncoderConfig) -> Iterator[Place]:
    """Where each weight of an encoder stands, without the family's prefix."""
    shares = config.architecture == "albert"
    for ours, theirs in (("tokens", "word"), ("positions", "position"), ("types", "token_type")):
        yield f"embeddings.{ours}.weight", (f"embeddings.{theirs}_embeddings.weight",)
    yield from _both("embeddings.norm", "embeddings.LayerNorm")
    if shares:
        yield from _both("projection", "encoder.embedding_hidden_mapping_in")
    for index in range(reuse.distinct(config)):
        at = _of_albert(config, index) if shares else f"encoder.layer.{index}"
        for ours, named in (_ALBERT if shares else _BERT).items():
            yield from _both(f"layers.{index}.{ours}", *(f"{at}.{name}" for name in named))
    yield from _both("pooler", "pooler" if shares else "pooler.dense")


def _of_albert(config: EncoderConfig, index: int) -> str:
    group, inner = divmod(index, config.inner)
    return f"encoder.albert_layer_groups.{group}.albert_layers.{inner}"


def _both(ours: str, *theirs: str) -> Iterator[Place]:
    for kind in ("weight", "bias"):
        yield f"{ours}.{kind}", tuple(f"{name}.{kind}" for name in theirs)

"""Where weights and tokenizers come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from . import scalars as s
from .rules import ATOMIC, Part, Rule, exactly_one, only_with


class JobReference(Part):
    """A job of the same namespace; the reader waits until it is Complete."""

    kind: Literal["PretrainJob", "TransferJob", "DistillJob"]
    """Kind of the job whose artefact is read."""
    name: s.Key
    """Name of the job, in the same namespace."""


class SparseAttention(Part):
    """Random sparse attention."""

    k: Annotated[int, Field(ge=1, le=64)] = 4
    """Random blocks that each block attends to, besides itself."""


class Attention(Part):
    """Replacements of full attention."""

    rsa: SparseAttention | None = None
    """Random sparse attention; absent: full attention."""


class Architecture(Part):
    """A model with random weights."""

    architecture: Literal["bert", "roberta", "albert", "t5", "xlnet", "imagebert", "auto"]
    """Family of the model. `auto` takes any Hugging Face encoder named by `options.model_type`."""
    layers: Annotated[int, Field(ge=1, le=512)] = 12
    """Number of layers."""
    hidden: Annotated[int, Field(ge=1, le=65536)] = 768
    """Width of the hidden states; a multiple of `heads`."""
    heads: Annotated[int, Field(ge=1, le=1024)] = 12
    """Attention heads of each layer."""
    intermediate: s.Count | None = None
    """Width of the feed-forward layers; absent: four times `hidden`."""
    inner_groups: Annotated[int, Field(ge=1, le=2)] | None = None
    """ALBERT only: layers of the group that each step goes through; 2 is PAI-ALBERT. Absent: 1."""
    attention: Attention = Field(default_factory=Attention)
    """Replacements of full attention; default: none."""
    options: s.Free = Field(default_factory=dict)
    """Further keys of the Hugging Face configuration, passed through unread; default: none."""

    rules = (
        Rule(
            "self.hidden % self.heads == 0",
            "hidden {hidden} must be a multiple of heads {heads}",
            lambda a: a.hidden % a.heads == 0,
            at="hidden",
        ),
        only_with("inner_groups", "architecture", "albert"),
    )


class Origin(Part):
    """Where weights come from; exactly one."""

    zoo: s.Short | None = None
    """Name in the model zoo, such as `google-bert-base-en`."""
    uri: s.Uri | None = None
    """Folder in Hugging Face layout, or an artefact of this project."""
    job: JobReference | None = None
    """Artefact of another job; this one waits until that one is Complete."""
    config: Architecture | None = None
    """Random weights of this architecture."""

    rules = (exactly_one("zoo", "uri", "job", "config"),)
    schema_extra = ATOMIC


class TokenizerTraining(Part):
    """A tokenizer trained on the job's own text."""

    kind: Literal["wordpiece", "bpe", "unigram"] = "wordpiece"
    """Algorithm; default wordpiece."""
    size: Annotated[int, Field(ge=100, le=1_000_000)] = 30_000
    """Number of pieces; default 30000."""


class TokenizerOrigin(Part):
    """Where a ready tokenizer comes from; exactly one."""

    zoo: s.Short | None = None
    """Name in the model zoo."""
    uri: s.Uri | None = None
    """Folder with the tokenizer's files."""

    rules = (exactly_one("zoo", "uri"),)
    schema_extra = ATOMIC


class Tokenizer(Part):
    """A tokenizer other than the model's own; exactly one of the two ways."""

    from_: TokenizerOrigin | None = None
    """A ready tokenizer."""
    train: TokenizerTraining | None = None
    """Trains one in the prepare stage."""

    rules = (exactly_one("from_", "train"),)
    schema_extra = ATOMIC


class Model(Part):
    """Weights to start from."""

    from_: Origin
    """Where the weights come from; exactly one of zoo, uri, job, config."""
    revision: s.Digest | None = None
    """Pin: weights of another digest are refused. Absent: resolved into status.model.digest."""
    tokenizer: Tokenizer | None = None
    """Another tokenizer; absent: the model's own."""

"""The objectives of this version: what a pair is, and what tells how well it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from graft_worker.models.special import special
from graft_worker.pretrain import masking
from graft_worker.pretrain.pairs import Pairs

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from graft_api.pretrainjob import PretrainJobSpec
    from graft_worker.data.shards import View


@dataclass(frozen=True, slots=True, kw_only=True)
class PairObjective:
    """How a pair is spoilt, and the name of its metric."""

    spoil: Literal["order", "next"]
    metric: str


PAIRS: Mapping[str, PairObjective] = {
    "mlm+nsp": PairObjective(spoil="next", metric="nsp_accuracy"),
    "mlm+sop": PairObjective(spoil="order", metric="sop_accuracy"),
}


def pair_of(spec: PretrainJobSpec) -> PairObjective | None:
    """What is told of pairs; None where there are none."""
    return PAIRS.get(spec.objective.name)


def view(spec: PretrainJobSpec, tokenizer: Tokenizer) -> View:
    """How the job shows sequences to the model.

    Raises:
        ConfigError: the tokenizer has no [MASK].
    """
    hidden, pair = masking.of_spec(spec, tokenizer), pair_of(spec)
    if pair is None:
        return hidden
    marks = special(tokenizer)
    return Pairs(masking=hidden, spoil=pair.spoil, cls=marks.cls, sep=marks.sep)

"""An encoder with the head that names hidden tokens; logits at these alone.

Devlin et al. 2019, arXiv 1810.04805, section 3.1: dense, activation, norm, then the embeddings of
the words as a classifier, with a bias of its own.

M tokens asked, V ids, H hidden, R rows, W tokens per row.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (torch's own name for it)

from graft_api.errors import ConfigError
from graft_worker.data.batch import Batch
from graft_worker.models.arithmetic import Arithmetic, of_weights
from graft_worker.models.bert import ACTIVATIONS, BertEncoder, initialise, linear
from graft_worker.models.weights import read_weights

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the library calls the parts of a family's head."""

    at: str
    dense: str
    norm: str
    relation: str = ""


_NAMES = {
    "bert": Names(
        at="cls.predictions",
        dense="transform.dense.",
        norm="transform.LayerNorm.",
        relation="cls.seq_relationship",
    ),
    "roberta": Names(at="lm_head", dense="dense.", norm="layer_norm."),
    "albert": Names(
        at="predictions", dense="dense.", norm="LayerNorm.", relation="sop_classifier.classifier"
    ),
}


class MaskedLanguageModel(nn.Module):
    """The encoder and its head, whose first weights depend on `seed` alone.

    With `pairs` another head tells from the pooled first token whether two segments belong
    together; without, the pooler is frozen, since nothing asks for a whole text.
    """

    def __init__(self, encoder: BertEncoder, *, seed: int, pairs: bool = False) -> None:
        super().__init__()
        config = encoder.config
        self.encoder = encoder
        self._names = _NAMES[config.architecture]
        self.activation = ACTIVATIONS[config.activation]
        width = config.embedding or config.hidden
        self.dense = linear(config.hidden, width)
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        self.relation = linear(config.hidden, 2) if pairs else None
        encoder.pooler.requires_grad_(requires_grad=pairs)
        initialise(self.dense, seed=seed, std=encoder.deviation())
        if self.relation is not None:
            initialise(self.relation, seed=seed, std=encoder.deviation())

    def forward(self, batch: Batch) -> tuple[Tensor, ...]:
        """Logits [M, V] of the tokens that the batch asks for; with pairs also theirs, [S, 2]."""
        assert batch.asked is not None
        states = self.encoder(batch).flatten(0, 1)
        hidden = states.index_select(0, batch.asked.slots)
        named = self.norm(self.activation(self.dense(hidden)))
        logits = F.linear(named, self.encoder.embeddings.tokens.weight, self.bias)
        if self.relation is None:
            return (logits,)
        pooled = torch.tanh(self.encoder.pooler(states.index_select(0, batch.first)))
        return logits, self.relation(pooled)

    def arithmetic(self) -> Arithmetic:
        """FLOPs to learn by: every token goes through the layers, those asked through the head."""
        encoder, above = self.encoder, self.relation
        words = of_weights(self.dense.weight, encoder.embeddings.tokens.weight)
        pairs = of_weights(encoder.pooler.weight, above.weight) if above is not None else 0.0
        return encoder.arithmetic_of_states() + Arithmetic(asked=words, sequence=pairs)

    def hugging_face_state(self, *, pooler: bool) -> dict[str, Tensor]:
        """All weights under the names of BertForMaskedLM, or its like; of pairs -ForPreTraining.

        A pooler is there only where it has learnt.
        """
        encoder = self.encoder.hugging_face_state()
        kept = {n: t for n, t in encoder.items() if pooler or ".pooler." not in n}
        head = {f"{self._names.at}.{name}": tensor for name, tensor in self._head().items()}
        if self.relation is not None:
            found = self.relation.state_dict().items()
            head |= {f"{self._names.relation}.{name}": tensor for name, tensor in found}
        return kept | {name: tensor.detach().clone() for name, tensor in head.items()}

    def take_head(self, folder: Path) -> bool:
        """Whether the folder has a head, which this module then has.

        Raises:
            ConfigError: the head has other shapes than the encoder.
        """
        state, names = read_weights(folder), self._names
        if self.relation is not None and f"{names.relation}.weight" in state:
            for name, tensor in self.relation.named_parameters():
                at = f"{names.relation}.{name}"
                _copy(tensor, state.get(at), f"{folder}: {at}")
        found = _head(state, names.at)
        if not found:
            log.warning("%s has no head for masked words: it starts from random weights", folder)
            return False
        for name, wanted in self._head().items():
            _copy(wanted, found.get(name), f"{folder}: {names.at}.{name}")
        return True

    def _head(self) -> dict[str, Tensor]:
        """What names hidden tokens, under the library's names."""
        found: dict[str, Tensor] = {"bias": self.bias}
        for part, their in ((self.dense, self._names.dense), (self.norm, self._names.norm)):
            found |= {f"{their}{name}": tensor for name, tensor in part.named_parameters()}
        return found


def _head(state: Mapping[str, Tensor], at: str) -> dict[str, Tensor]:
    modern = {"gamma": "weight", "beta": "bias"}
    found = {}
    for name, tensor in state.items():
        if name.startswith(f"{at}."):
            head, _, last = name.removeprefix(f"{at}.").rpartition(".")
            found[f"{head}.{modern.get(last, last)}".lstrip(".")] = tensor
    return found


def _copy(tensor: Tensor, found: Tensor | None, what: str) -> None:
    if found is None or found.shape != tensor.shape:
        shown = "missing" if found is None else f"of shape {list(found.shape)}"
        raise ConfigError(
            f"{what} is {shown}, expected {list(tensor.shape)}",
            hint="config.json must fit the weights; copy or download the folder again",
        )
    with torch.no_grad():
        tensor.copy_(found)

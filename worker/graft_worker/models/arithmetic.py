"""How many FLOPs learning from a batch takes, by what they depend on.

Chowdhery et al. 2022, arXiv 2204.02311, appendix B: a multiply-add is two, a pass back costs twice
the pass forward, and nothing that is computed twice counts twice. Padding counts nothing; nor do
look-ups, norms and activations, which are no products.

H hidden, I intermediate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from graft_worker.data.batch import Batch
    from graft_worker.models.encoder import EncoderConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """FLOPs of a network, forward and back, for one of each."""

    token: float = 0.0  # real, not padding
    attended: float = 0.0  # token that a token attends to
    asked: float = 0.0  # token that is to be predicted
    sequence: float = 0.0

    def __add__(self, more: Arithmetic) -> Arithmetic:
        """Those of both."""
        names = [part.name for part in fields(self)]
        return Arithmetic(**{name: getattr(self, name) + getattr(more, name) for name in names})

    def of(self, batch: Batch) -> float:
        """FLOPs to learn from the batch, by numbers that the host knows."""
        asked = batch.asked.slots.numel() if batch.asked is not None else 0
        return (
            self.token * batch.tokens
            + self.attended * batch.attended
            + self.asked * asked
            + self.sequence * batch.first.numel()
        )


NOTHING = Arithmetic()


def of_network(network: Any) -> Arithmetic:
    """What the network tells by its method `arithmetic`; nothing where it has none."""
    tell = getattr(network, "arithmetic", None)
    return tell() if tell is not None else NOTHING


def of_weights(*weights: Tensor) -> float:
    """FLOPs for one row of products with each of these matrices."""
    return sum(_each(learns=weight.requires_grad) * weight.numel() for weight in weights)


def of_layers(config: EncoderConfig, used: Iterable[nn.Module]) -> Arithmetic:
    """A pass of all tokens through transformer layers, one after the other.

    Query, key, value and output are H x H, up and down H x I; a token's score of another and its
    share of that one's value are H each. Sizes are the config's: a process may hold less.
    """
    hidden = config.hidden
    weights = 4 * hidden * hidden + 2 * hidden * config.intermediate
    each = sum(_of_one(layer) for layer in used)
    return Arithmetic(token=each * weights, attended=each * 2 * hidden)


def of_firsts(config: EncoderConfig, layer: nn.Module) -> Arithmetic:
    """The same of a layer that computes first tokens alone: others are keys and values to them."""
    hidden, each = config.hidden, _of_one(layer)
    asking = 2 * hidden * hidden + 2 * hidden * config.intermediate
    return Arithmetic(token=each * 2 * (hidden * hidden + hidden), sequence=each * asking)


def _of_one(layer: nn.Module) -> float:
    return _each(learns=any(weight.requires_grad for weight in layer.parameters()))


def _each(*, learns: bool) -> float:
    """FLOPs of a weight for a row: two forward, four back where it learns."""
    return 6.0 if learns else 2.0

"""A lean BERT: fused query, key and value, one mask for all layers, packed rows, keyed dropout.

Devlin et al. 2019, arXiv 1810.04805; with narrower embeddings and shared layers it is ALBERT, Lan
et al. 2020, arXiv 1909.11942. Differences in form only: hidden states agree with the
`transformers` library to 1e-4 in fp32. There is no dropout of attention weights: it would have to
draw from a generator, and the loss would depend on how sequences are dealt to processes.
Who wants first tokens alone is spared what the last layer would compute for all others.

Shapes: R rows, W tokens per row, H hidden, A heads, F intermediate, S sequences, Q queries per row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (torch's own name for it)

from graft_worker.data.batch import Batch
from graft_worker.distributed.process import Process
from graft_worker.distributed.splits import entered
from graft_worker.models import arithmetic, dividing, reuse
from graft_worker.models.arithmetic import Arithmetic
from graft_worker.models.attention import Sight, attend, sight
from graft_worker.models.dropout import KeyedDropout, again
from graft_worker.models.encoder import EncoderConfig, Layered
from graft_worker.models.firsts import Firsts, firsts_of
from graft_worker.models.split_linear import Columns, Dense, Rows
from graft_worker.models.weights import to_hugging_face

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "gelu": F.gelu,
        "gelu_new": partial(F.gelu, approximate="tanh"),
        "relu": F.relu,
        "silu": F.silu,
    }
)
_unset: Callable[..., Any] = nn.utils.skip_init


class Embeddings(nn.Module):
    """Token, position and type embeddings, summed and normalised: a batch to [R, W, H]."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.first_position = config.first_position
        self.tokens = table(config.vocabulary, config.hidden)
        self.positions = table(config.max_positions, config.hidden)
        self.types = table(config.type_vocabulary, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=config.layer_norm_eps)
        self.dropout = KeyedDropout(site=0, width=config.hidden, rate=config.dropout)

    def forward(self, batch: Batch) -> Tensor:
        """[R, W, H]; padding slots hold values that no token sees."""
        places = batch.positions + self.first_position if self.first_position else batch.positions
        x = self.tokens(batch.ids) + self.positions(places)
        types = batch.types if self.types.num_embeddings > 1 else torch.zeros_like(batch.types)
        dropped: Tensor = self.dropout(self.norm(x.add_(self.types(types))), batch.keys)
        return _narrowed(dropped)


class Layer(nn.Module):
    """Self-attention and feed-forward, each added to its input and normalised after."""

    def __init__(self, config: EncoderConfig, index: int) -> None:
        super().__init__()
        width, rate = config.hidden, config.dropout
        self.heads = config.heads
        self.enter: Callable[[Tensor], Tensor] = _whole
        self.activation = ACTIVATIONS[config.activation]
        self.qkv: Dense = linear(width, 3 * width)
        self.out: Dense = linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.attention_dropout = KeyedDropout(site=2 * index + 1, width=width, rate=rate)
        self.up: Dense = linear(width, config.intermediate)
        self.down: Dense = linear(config.intermediate, width)
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = KeyedDropout(site=2 * index + 2, width=width, rate=rate)

    def split(self, process: Process) -> None:
        """Leaves this process its share of the heads and of the intermediate features."""
        self.heads //= process.tensor
        self.enter = partial(entered, process=process)
        self.qkv, self.up = Columns(self.qkv, process, blocks=3), Columns(self.up, process)
        self.out, self.down = Rows(self.out, process), Rows(self.down, process)

    def forward(self, x: Tensor, keys: Tensor, seen: Sight, firsts: Firsts | None = None) -> Tensor:
        """X [R, W, H], keys [R, W], who sees whom; with `firsts` that is known to them.

        Gives [R, W, H]; with `firsts` the same numbers of the first tokens alone, [S, H].
        """
        if firsts is None:
            q, k, v = self.qkv(self.enter(x)).chunk(3, dim=-1)
            return self._added(x, attend(q, k, v, self.heads, seen), keys)
        q, k, v = self._asked(x, firsts)
        attended = attend(q, k, v, self.heads, firsts.mask)
        return self._added(firsts.of(x), firsts.answers(attended), firsts.of(keys))

    def _asked(self, x: Tensor, firsts: Firsts) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [R, Q, H] of first tokens, keys and values [R, W, H] of all."""
        x, width = self.enter(x), self.qkv.weight.shape[0] // 3
        sizes = [width, 2 * width]
        weight, bias = torch.split(self.qkv.weight, sizes), torch.split(self.qkv.bias, sizes)
        k, v = F.linear(x, weight[1], bias[1]).chunk(2, dim=-1)
        return F.linear(firsts.queries(x), weight[0], bias[0]), k, v

    def _added(self, x: Tensor, attended: Tensor, keys: Tensor) -> Tensor:
        x = self.attention_norm(self.attention_dropout(self.out(attended), keys, x))
        wide = self.activation(self.up(self.enter(x)))
        out: Tensor = self.norm(self.dropout(self.down(wide), keys, x))
        return out


class BertEncoder(nn.Module):
    """A `TextEncoder` of BERT's family. Its weights are unset until loaded: see `random`."""

    packs = True

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(replace(config, hidden=config.embedding or config.hidden))
        self.projection = linear(config.embedding, config.hidden) if config.embedding else None
        count = reuse.distinct(config)
        self.layers = nn.ModuleList(Layer(config, index) for index in range(count))
        self._order = reuse.order(config)
        self.pooler = linear(config.hidden, config.hidden)

    @classmethod
    def random(cls, config: EncoderConfig, *, seed: int) -> BertEncoder:
        """An encoder with initial weights: a function of config and seed, of no global state."""
        encoder = cls(config)
        initialise(encoder, seed=seed, std=encoder.deviation())
        return encoder

    def draw_pooler(self, *, seed: int) -> None:
        """Gives the pooler initial weights, for pretrained weights that have none."""
        initialise(self.pooler, seed=seed, std=self.deviation())

    def deviation(self) -> float:
        """The deviation of initial weights."""
        return float(self.config.raw.get("initializer_range", 0.02))

    def forward(self, batch: Batch) -> Tensor:
        """Hidden states [R, W, H] of the last layer."""
        x, seen = self._embedded(batch), sight(batch)
        for index, uses in self._order:
            x = self.layers[index](x, self._keys(batch, uses), seen)
        return x

    def first(self, batch: Batch) -> Tensor:
        """Hidden states [S, H] of first tokens: those of `forward`, for less work."""
        x, seen = self._embedded(batch), sight(batch)
        *before, (last, used) = self._order
        for index, uses in before:
            x = self.layers[index](x, self._keys(batch, uses), seen)
        out: Tensor = self.layers[last](x, self._keys(batch, used), None, firsts_of(batch))
        return out

    def summary(self, batch: Batch) -> Tensor:
        """tanh(dense(first token)), [S, H]."""
        return torch.tanh(self.pooler(self.first(batch)))

    def layered(self, batch: Batch) -> Layered:
        """First tokens after each step, and the summary that they lead to."""
        embedded = self._embedded(batch)
        x, seen, firsts = embedded, sight(batch), []
        *before, (last, used) = self._order
        for number, (index, uses) in enumerate(before, 1):
            x = self.layers[index](x, self._keys(batch, uses), seen)
            if number % self.config.inner == 0:
                firsts.append(x.flatten(0, 1).index_select(0, batch.first))
        keys = self._keys(batch, used)
        firsts.append(self.layers[last](x, keys, None, firsts_of(batch)))
        summary = torch.tanh(self.pooler(firsts[-1]))
        return Layered(embedded=embedded, firsts=tuple(firsts), summary=summary)

    def depth_of(self, parameter: str) -> int:
        """0 for embeddings, 1..layers for the layers, layers + 1 for the pooler.

        Shared weights have the depth of the last layer that uses them.
        """
        part, _, rest = parameter.partition(".")
        if part == "layers":
            return reuse.last_step(self.config, int(rest.partition(".")[0]))
        return 0 if part in ("embeddings", "projection") else self.config.layers + 1

    def blocks(self) -> nn.ModuleList:
        """The layers, each of its own weights once."""
        return self.layers

    def units(self) -> nn.ModuleList:
        """The layers; none where a pass uses one several times."""
        return self.layers if len(self._order) == len(self.layers) else nn.ModuleList()

    def arithmetic(self) -> Arithmetic:
        """FLOPs to learn by `summary`, each layer counted as often as it is applied."""
        *before, last = self._applied()
        summary = Arithmetic(sequence=arithmetic.of_weights(self.pooler.weight))
        layers = arithmetic.of_layers(self.config, before)
        return self._projected() + layers + arithmetic.of_firsts(self.config, last) + summary

    def arithmetic_of_states(self) -> Arithmetic:
        """The same by `forward`."""
        return self._projected() + arithmetic.of_layers(self.config, self._applied())

    def _applied(self) -> list[nn.Module]:
        return [self.layers[index] for index, _ in self._order]

    def _projected(self) -> Arithmetic:
        wide = () if self.projection is None else (self.projection.weight,)
        return Arithmetic(token=arithmetic.of_weights(*wide))

    def split(self, process: Process) -> None:
        """Leaves this process its share of each layer; the others hold the rest.

        Embeddings, norms, projection and pooler stay whole.

        Raises:
            ConfigError: heads or intermediate features cannot be divided so.
        """
        config = self.config
        dividing.check_sizes(process.tensor, heads=config.heads, inner=config.intermediate)
        for layer in self.layers:
            assert isinstance(layer, Layer)
            layer.split(process)

    def hugging_face_state(self) -> dict[str, Tensor]:
        """Weights under the names of `transformers`, with the family's prefix, such as `bert.`."""
        return to_hugging_face(self.state_dict(), self.config)

    def _embedded(self, batch: Batch) -> Tensor:
        x: Tensor = self.embeddings(batch)
        return x if self.projection is None else self.projection(x)

    def _keys(self, batch: Batch, uses: int) -> Tensor:
        return again(batch.keys, uses) if self.training else batch.keys


def _whole(x: Tensor) -> Tensor:
    """X as it is: no other process computes with it."""
    return x


def _narrowed(x: Tensor) -> Tensor:
    """X in the format that products are computed in, so that no product has to cast it again.

    On a CPU what stands between products takes that format, too; norms sum in fp32 there. Elsewhere
    autocast makes norms give fp32, and nothing would be gained.
    """
    if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        return x.to(torch.get_autocast_dtype("cpu"))
    return x


def initialise(module: nn.Module, *, seed: int, std: float = 0.02) -> None:
    """Initial weights in place: matrices normal, cut at two deviations; biases 0; norms 1."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.trunc_normal_(part.weight, 0, std, -2 * std, 2 * std, generator)
        if isinstance(part, nn.LayerNorm):
            nn.init.ones_(part.weight)
        if isinstance(part, nn.Linear | nn.LayerNorm):
            nn.init.zeros_(part.bias)


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A dense layer whose weights are unset, so that none are drawn from the global generator."""
    layer: nn.Linear = _unset(nn.Linear, inputs, outputs)
    return layer


def table(rows: int, width: int) -> nn.Embedding:
    """An embedding whose weights are unset."""
    made: nn.Embedding = _unset(nn.Embedding, rows, width)
    return made

"""Any other encoder of the `transformers` library behind the same interface.

Slower than our own: rows are padded, positions and dropout are the library's. Its dropout draws
from torch's generator, which the loop seeds for each micro-batch. `transformers` takes seconds to
import, so only functions of this module import it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from graft_api.errors import ConfigError
from graft_worker.data.batch import Batch
from graft_worker.models.arithmetic import Arithmetic, of_weights
from graft_worker.models.encoder import EncoderConfig, Layered
from graft_worker.models.folders import read_config, weight_files

INSTALL = "pip install 'graft-operator[transformers]'"
_INDEX = re.compile(r"\.(\d+)\.")


class AutoEncoder(nn.Module):
    """A `TextEncoder` around `transformers.AutoModel`."""

    packs = False

    def __init__(self, model: Any, config: EncoderConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self._takes_types = "token_type_ids" in inspect.signature(model.forward).parameters

    @classmethod
    def load(cls, folder: Path, *, random: bool, seed: int, vocabulary: int | None) -> AutoEncoder:
        """The model of a folder, or one of its sizes with random weights.

        Raises:
            ConfigError: the library is missing or cannot make an encoder of the folder.
        """
        config = _library_config(folder)
        if random and vocabulary:
            config.vocab_size = vocabulary
        with _seeded(seed), _explained(folder):
            model = _random(config) if random else _pretrained(folder)
        return cls(model, _in_our_words(model.config))

    def forward(self, batch: Batch) -> Tensor:
        """Hidden states [R, W, H] of the last layer."""
        return cast("Tensor", self._read(batch).last_hidden_state)

    def layered(self, batch: Batch) -> Layered:
        """First tokens after each layer, and the summary.

        Raises:
            ConfigError: the library counts the family's layers otherwise than its config does.
        """
        out = self._read(batch, output_hidden_states=True)
        embedded, *states = out.hidden_states
        if len(states) != self.config.layers:
            raise ConfigError(
                f"spec.method.name: probes asks for every layer, but {self.config.architecture}"
                f" has {self.config.layers} and shows {len(states)}",
                hint="use method vanilla, which needs no layers",
            )
        states[-1] = out.last_hidden_state  # some families normalise once more
        firsts = [x.flatten(0, 1).index_select(0, batch.first) for x in states]
        summary = self._summed(firsts[-1])
        return Layered(embedded=embedded, firsts=tuple(firsts), summary=summary)

    def _read(self, batch: Batch, **wishes: bool) -> Any:
        real = batch.segments > 0
        # Families that count positions from the ids skip the slots of their own padding id.
        ids = batch.ids.masked_fill(~real, self.config.padding_id)
        more: dict[str, Tensor] = {}
        if self._takes_types:
            more["token_type_ids"] = batch.types.clamp(max=self.config.type_vocabulary - 1)
        mask = real | ~real.any(dim=1, keepdim=True)
        return self.model(input_ids=ids, attention_mask=mask.long(), **more, **wishes)

    def summary(self, batch: Batch) -> Tensor:
        """The family's pooler on the first tokens, or these themselves, [S, H]."""
        return self._summed(self(batch).flatten(0, 1).index_select(0, batch.first))

    def _summed(self, first: Tensor) -> Tensor:
        pooler = getattr(self.model, "pooler", None)
        if pooler is None:
            return first
        return cast("Tensor", pooler(first.unsqueeze(1)))

    def depth_of(self, parameter: str) -> int:
        """0 embeddings, 1..layers by the first index in the name, layers + 1 for the rest."""
        if "embedding" in parameter:
            return 0
        index = _INDEX.search(parameter)
        return int(index[1]) + 1 if index else self.config.layers + 1

    def blocks(self) -> nn.ModuleList:
        """The outermost list of modules; empty where the family has none."""
        lists = (part for part in self.model.modules() if isinstance(part, nn.ModuleList))
        return next(lists, nn.ModuleList())

    def units(self) -> nn.ModuleList:
        """As the blocks."""
        return self.blocks()

    def arithmetic(self) -> Arithmetic:
        """FLOPs to learn by `summary`: each matrix once, and attention as BERT's.

        Families whose layers share weights, or attend otherwise, are told too low.
        """
        pooler = getattr(self.model, "pooler", None)
        summing = _matrices(pooler) if pooler is not None else {}
        tables = {id(m.weight) for m in self.model.modules() if isinstance(m, nn.Embedding)}
        apart = tables | summing.keys()
        layers = [m for key, m in _matrices(self.model).items() if key not in apart]
        return Arithmetic(
            token=of_weights(*layers),
            attended=12.0 * self.config.layers * self.config.hidden,
            sequence=of_weights(*summing.values()),
        )

    def hugging_face_state(self) -> dict[str, Tensor]:
        """The library's own names, with the family's prefix."""
        prefix = f"{self.model.base_model_prefix}."
        return {prefix + k: v.detach().clone() for k, v in self.model.state_dict().items()}


def _matrices(module: nn.Module) -> dict[int, Tensor]:
    """Weights that are multiplied by, or tables, by identity."""
    return {id(p): p for p in module.parameters() if p.dim() > 1}


def _library_config(folder: Path) -> Any:
    try:
        from transformers import AutoConfig
    except ImportError:
        kind = read_config(folder).get("model_type")
        raise ConfigError(
            f"{folder}: model_type {kind!r} needs the transformers library", hint=INSTALL
        ) from None
    with _explained(folder):
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if getattr(config, "is_encoder_decoder", False):
        raise ConfigError(
            f"{folder}: model_type {config.model_type!r} is no encoder: it has a decoder too",
            hint="choose an encoder, such as bert, roberta, electra or deberta-v2",
        )
    return config


def _random(config: Any) -> Any:
    from transformers import AutoModel

    build: Callable[..., Any] = AutoModel.from_config
    return build(config, trust_remote_code=False, dtype=torch.float32)


def _pretrained(folder: Path) -> Any:
    from transformers import AutoModel

    weight_files(folder)
    return AutoModel.from_pretrained(
        folder,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        dtype=torch.float32,
    )


def _in_our_words(config: Any) -> EncoderConfig:
    hidden = int(config.hidden_size)
    return EncoderConfig(
        architecture=str(config.model_type),
        vocabulary=int(config.vocab_size),
        hidden=hidden,
        layers=int(config.num_hidden_layers),
        heads=int(config.num_attention_heads),
        intermediate=int(getattr(config, "intermediate_size", 4 * hidden)),
        max_positions=int(getattr(config, "max_position_embeddings", 512)),
        type_vocabulary=max(1, int(getattr(config, "type_vocab_size", 0))),
        dropout=float(getattr(config, "hidden_dropout_prob", 0.0)),
        layer_norm_eps=float(getattr(config, "layer_norm_eps", 1e-12)),
        activation=str(getattr(config, "hidden_act", "gelu")),
        padding_id=int(getattr(config, "pad_token_id", 0) or 0),
        raw=config.to_dict(),
    )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The library draws from the global generator: lend it a seeded one, give the old one back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except (ImportError, KeyError, OSError, RuntimeError, ValueError) as error:
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigError(
            f"{folder}: the transformers library cannot make an encoder of it: {line}",
            hint="model_type in config.json names the family; code from the folder is never run",
        ) from None

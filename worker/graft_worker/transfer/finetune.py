"""Fine-tuning: all weights learn, or all but the lowest layers; lower layers perhaps more slowly.

Freezing takes the gradient away. EasyTransfer multiplied it by 0 instead, so that weight decay went
on shrinking what was called frozen.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_worker.models import reuse
from graft_worker.train.optimizers import decays

if TYPE_CHECKING:
    from torch import nn

    from graft_api.methods.finetune import Finetune
    from graft_worker.models.encoder import EncoderConfig, TextEncoder

ENCODER = "encoder."


def groups(module: nn.Module, spec: Finetune, weight_decay: float) -> list[dict[str, Any]]:
    """Optimizer groups of what is trained, with `params`, `weight_decay` and `lr_scale`.

    `freeze_layers` N above 0 freezes the embeddings and the lowest N layers. `layer_decay` d gives
    depth k of a model of L layers the rate d^(L + 1 - k); heads keep the full rate (Howard and
    Ruder 2018, arXiv 1801.06146, section 3.2). Weights that layers share are as deep as the last.

    Raises:
        ConfigError: more layers are frozen than there are, or a higher one shares their weights.
    """
    encoder: Any = module.encoder
    top = encoder.config.layers + 1
    _check(spec, encoder.config)
    sorted_out: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in module.named_parameters():
        depth = _depth(encoder, name, top)
        if spec.freeze_layers and depth <= spec.freeze_layers:
            parameter.requires_grad = False
            continue
        decay = weight_decay if decays(name, parameter) else 0.0
        sorted_out[spec.layer_decay ** (top - depth), decay].append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "lr_scale": scale}
        for (scale, decay), parameters in sorted_out.items()
    ]


def _depth(encoder: TextEncoder, name: str, top: int) -> int:
    return encoder.depth_of(name.removeprefix(ENCODER)) if name.startswith(ENCODER) else top


def _check(spec: Finetune, config: EncoderConfig) -> None:
    layers, count = config.layers, spec.freeze_layers
    if count > layers:
        raise ConfigError(
            f"method.finetune.freezeLayers: {count} is more than the model's {layers} layers",
            hint=f"use a number from 0 to {layers}",
        )
    if count and count not in (ends := reuse.ends(config)):
        raise ConfigError(
            f"method.finetune.freezeLayers: {count}, but layers {count} and {count + 1} of this"
            " model share their weights",
            hint=f"use one of {', '.join(map(str, (0, *ends)))}",
        )

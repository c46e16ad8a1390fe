"""Which number format the computation uses; the weights stay fp32."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from graft_api.errors import ConfigError

Name = Literal["fp32", "bf16", "fp16"]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# Autocast pays for its casts: a format that is barely faster in one product is slower in a model.
CLEARLY = 1.3
ROUNDS = 12  # products per format; the first ones also make the kernels

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """A number format on a device."""

    name: Name
    device: torch.device

    def autocast(self) -> AbstractContextManager[object]:
        """Runs what is inside in this format where that is safe."""
        return torch.autocast(
            self.device.type, dtype=DTYPES[self.name], enabled=self.name != "fp32"
        )

    def scaler(self) -> torch.amp.GradScaler:
        """Keeps fp16's small gradients from vanishing; passes everything on in other formats."""
        return torch.amp.GradScaler(self.device.type, enabled=self.name == "fp16")


def choose(
    wish: str,
    device: torch.device,
    *,
    seconds_of: Callable[[torch.dtype], float] | None = None,
) -> Precision:
    """The format that was asked for, or the fastest one: `seconds_of` times one product.

    Raises:
        ConfigError: fp16 on a CPU, where it is slower and unscaled.
    """
    if wish == "fp16" and device.type == "cpu":
        raise ConfigError(
            "training.precision: fp16 needs a GPU, this worker computes on its CPU",
            hint="use auto, fp32 or bf16",
        )
    name: Name = _fastest(device, seconds_of or _seconds_of) if wish == "auto" else _known(wish)
    return Precision(name=name, device=device)


def _known(wish: str) -> Name:
    for name in ("fp32", "bf16", "fp16"):
        if wish == name:
            return name
    raise ConfigError(f"training.precision: {wish!r} is none of auto, fp32, bf16, fp16")


def _fastest(device: torch.device, seconds_of: Callable[[torch.dtype], float]) -> Name:
    if device.type == "cuda":
        name: Name = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
        log.info("precision %s: what the GPU supports", name)
        return name
    ratio = seconds_of(torch.float32) / seconds_of(torch.bfloat16)
    name = "bf16" if ratio > CLEARLY else "fp32"
    log.info("precision %s: a bf16 product takes 1/%.2f of the time of fp32", name, ratio)
    return name


def _seconds_of(dtype: torch.dtype) -> float:
    """Shortest processor time of one product of the size that a small encoder has.

    Not the time on the wall: what else the machine does must not choose the format, since another
    format is another result.
    """
    left, right = torch.ones(256, 768, dtype=dtype), torch.ones(768, 768, dtype=dtype)
    return min(_timed(left, right) for _ in range(ROUNDS))


def _timed(left: Tensor, right: Tensor) -> float:
    started = time.thread_time()
    left @ right
    return time.thread_time() - started

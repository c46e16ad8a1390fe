"""Copies of tensors in the computer's memory, so that training goes on while they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

# By name; pairs may be made one after another, so that one whole tensor exists at a time.
Tensors = Mapping[str, Tensor] | Iterable[tuple[str, Tensor]]


class Stage:
    """Buffers that are kept from save to save: memory of a second copy is asked for only once."""

    def __init__(self) -> None:
        self._buffers: dict[str, Tensor] = {}

    def copy(self, tensors: Tensors) -> dict[str, Tensor]:
        """The tensors' values of this moment, contiguous, on the CPU.

        They are valid until the next call.
        """
        named = tensors.items() if isinstance(tensors, Mapping) else tensors
        staged: dict[str, Tensor] = {}
        devices = set()
        with torch.no_grad():
            for name, tensor in named:
                staged[name] = self._copy(name, tensor)
                devices.add(tensor.device)
        for device in devices:
            if device.type == "cuda":
                torch.cuda.synchronize(device)
        return staged

    def _copy(self, name: str, tensor: Tensor) -> Tensor:
        buffer = self._buffers.get(name)
        if buffer is None or buffer.shape != tensor.shape or buffer.dtype != tensor.dtype:
            buffer = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda)
            self._buffers[name] = buffer
        return buffer.copy_(tensor, non_blocking=True)

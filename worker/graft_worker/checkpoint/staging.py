"""Copies of tensors in the computer's memory, so that training goes on while they are written."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Stage:
    """Buffers that are kept from save to save: memory of a second copy is asked for only once."""

    def __init__(self) -> None:
        self._buffers: dict[str, Tensor] = {}

    def copy(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors' values of this moment, contiguous, on the CPU.

        They are valid until the next call.
        """
        with torch.no_grad():
            staged = {name: self._copy(name, tensor) for name, tensor in tensors.items()}
        for device in {tensor.device for tensor in tensors.values() if tensor.is_cuda}:
            torch.cuda.synchronize(device)
        return staged

    def _copy(self, name: str, tensor: Tensor) -> Tensor:
        buffer = self._buffers.get(name)
        if buffer is None or buffer.shape != tensor.shape or buffer.dtype != tensor.dtype:
            buffer = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda)
            self._buffers[name] = buffer
        return buffer.copy_(tensor, non_blocking=True)

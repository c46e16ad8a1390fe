"""Whole tensors out of a shared module and back, under the module's own names and in its shapes.

Gathering is an exchange: every process must take part, rank 0 gets the result. It comes tensor by
tensor, so that no process holds a whole that it does not keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from graft_api.errors import StoreError
from graft_worker.distributed.splits import Cut, cuts

if TYPE_CHECKING:
    from graft_worker.distributed.process import Process


State = dict[nn.Parameter, dict[str, Tensor]]


def weights(module: nn.Module, process: Process) -> Iterator[tuple[str, Tensor]]:
    """Parameters and persistent buffers as whole tensors by name; none but on rank 0.

    Every process must go through all of them. Tensors that are whole already are not copied: use
    them before the next step. All are on the module's device.
    """
    cut = cuts(module)
    named = ((name, tensor, cut.get(name)) for name, tensor in module.state_dict().items())
    return _gathered(named, process)


def gather_weights(module: nn.Module, process: Process) -> dict[str, Tensor]:
    """All `weights` at once, on the CPU; empty but on rank 0."""
    return {name: tensor.cpu() for name, tensor in weights(module, process)}


@torch.no_grad()
def load_weights(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copies whole tensors into the module; every process gives all of them.

    Raises:
        StoreError: names or shapes are not the module's.
    """
    state, cut = module.state_dict(), cuts(module)
    _check(dict(state), tensors, cut)
    for name, target in state.items():
        target.copy_(_placed(tensors[name], cut.get(name), like=target))


def moments(state: State, module: nn.Module, process: Process) -> Iterator[tuple[str, Tensor]]:
    """An optimizer's state as whole tensors named `<parameter>.<key>`, as `weights`."""
    cut = cuts(module)
    named = (
        (f"{name}.{key}", tensor, cut.get(name) if tensor.ndim else None)
        for name, parameter in module.named_parameters()
        for key, tensor in state.get(parameter, {}).items()
    )
    return _gathered(named, process)


@torch.no_grad()
def load_moments(state: State, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Puts whole tensors back into an optimizer's state; parameters without any start afresh.

    Raises:
        StoreError: a tensor belongs to a parameter that the module lacks.
    """
    parameters, cut = dict(module.named_parameters()), cuts(module)
    for name, tensor in tensors.items():
        owner, _, key = name.rpartition(".")
        if owner not in parameters:
            raise StoreError(f"the checkpoint has optimizer state of {owner}, the model has not")
        parameter = parameters[owner]
        # Step counts are scalars, the same in every process.
        scalar = tensor.ndim == 0
        if scalar:
            placed = tensor.to(parameter.device)
        else:
            placed = _placed(tensor, cut.get(owner), like=parameter)
        state.setdefault(parameter, {})[key] = placed.clone()


def _gathered(
    named: Iterable[tuple[str, Tensor, Cut | None]], process: Process
) -> Iterator[tuple[str, Tensor]]:
    for name, tensor, cut in named:
        if process.leads:
            yield name, _joined(tensor, cut)
        else:
            _joined(tensor, cut)


def whole(tensor: Tensor) -> Tensor:
    """The whole of a tensor whose parts the processes hold; others as they are."""
    # Only sharded tensors have the method; asking for it spares the import of DTensor.
    if not hasattr(tensor, "full_tensor"):
        return tensor
    full: Tensor = tensor.full_tensor()
    return full


def _joined(tensor: Tensor, cut: Cut | None) -> Tensor:
    part = whole(tensor.detach())
    return part if cut is None else cut.whole(part)


def _placed(tensor: Tensor, cut: Cut | None, *, like: Tensor) -> Tensor:
    here = (tensor if cut is None else cut.part(tensor)).to(like.device)
    if not hasattr(like, "full_tensor"):
        return here
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(like, DTensor)
    # No source rank: every process cuts its part out of its own copy, nothing is sent.
    return distribute_tensor(here, like.device_mesh, like.placements, src_data_rank=None)


def _check(
    state: Mapping[str, Tensor], tensors: Mapping[str, Tensor], cut: Mapping[str, Cut]
) -> None:
    shapes = {
        name: cut[name].whole_shape(tensor) if name in cut else tensor.shape
        for name, tensor in state.items()
    }
    for fault in _faults(shapes, tensors):
        raise StoreError(
            f"the saved weights do not fit the model: {fault}",
            hint="the store folder belongs to another job: choose another one or remove it",
        )


def _faults(shapes: Mapping[str, torch.Size], tensors: Mapping[str, Tensor]) -> Iterator[str]:
    for name in sorted(shapes.keys() ^ tensors.keys()):
        yield f"{name} is {'missing' if name in shapes else 'not part of it'}"
    for name in shapes.keys() & tensors.keys():
        if shapes[name] != tensors[name].shape:
            yield f"{name} is {tuple(tensors[name].shape)} instead of {tuple(shapes[name])}"

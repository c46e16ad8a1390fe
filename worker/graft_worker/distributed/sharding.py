"""How processes share a model: each holds all of it (DDP), or a part of every tensor (FSDP2).

In between (HSDP) the processes of a worker hold parts, and every worker holds all of it.
Where layers are split, all this holds among those that hold the same parts of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from torch import nn
from torch.nn.parallel import DistributedDataParallel

from graft_api.errors import ConfigError
from graft_worker.distributed import splits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.distributed.device_mesh import DeviceMesh
    from torch.distributed.fsdp import FSDPModule

    from graft_worker.distributed.process import Process

# Weights, gradient and two moments in fp32 are 16 bytes a parameter: a billion of them still fit
# one device, and DDP then moves less data than FSDP.
LARGE = 1_000_000_000

Strategy = Literal["whole", "ddp", "fsdp", "hsdp"]
WISHES = ("auto", "ddp", "fsdp", "hsdp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharded:
    """A module prepared for its world.

    `call` is what to call, `module` the same network under its own names. The gradient after the
    last micro-batch is the sum over all processes when each loss is multiplied by `scale`.
    `copies` says of every parameter how many processes hold what this one holds of it; it is empty
    where all hold all.
    """

    strategy: Strategy
    call: nn.Module
    module: nn.Module
    scale: float
    gate: Callable[[bool], AbstractContextManager[None]]
    copies: Mapping[nn.Parameter, int] = field(default_factory=dict)

    def micro_batch(self, *, last: bool) -> AbstractContextManager[None]:
        """Surrounds one forward and backward; gradients are exchanged in the last one only."""
        return self.gate(last)

    @property
    def in_step(self) -> bool:
        """Whether every forward is an exchange, so that all processes must do equally many."""
        return self.strategy in ("fsdp", "hsdp")


def choose(wish: str, parameters: int, process: Process) -> Strategy:
    """The strategy for a model of so many parameters.

    `auto` takes HSDP where DDP would not fit, and a worker's share of each of its processes does:
    layers are then gathered within workers alone.

    Raises:
        ConfigError: the wish is none of auto, ddp, fsdp, hsdp; or each worker is one process, so
            that there is nobody to share with within it.
    """
    if wish not in WISHES:
        raise ConfigError(
            f"workers.parallel.strategy: {wish!r} is none of {', '.join(WISHES)}",
        )
    group = _group(process)
    if process.data_world == 1:
        return "whole"
    if wish == "hsdp" and group == 1:
        raise ConfigError(
            "workers.parallel.strategy: hsdp shards within a worker, and each is one process",
            hint="raise workers.processes to a multiple of parallel.tensor, or use fsdp",
        )
    if wish == "ddp" or (wish == "auto" and parameters <= LARGE):
        return "ddp"
    hybrid = wish == "hsdp" or (wish == "auto" and parameters <= LARGE * group)
    return "hsdp" if hybrid and 1 < group < process.data_world else "fsdp"


def shard(
    module: nn.Module,
    units: Iterable[nn.Module],
    strategy: str,
    process: Process,
    *,
    unused: bool = False,
) -> Sharded:
    """The module, shared as the strategy says; `units` are gathered one by one, the rest at once.

    A unit that a pass uses n times is gathered 2 n times in a step, so what is used again is none.
    Parameters must have their final `requires_grad`. `unused` says that a step may leave some of
    them without a gradient, which costs DDP a search in every step.

    Raises:
        ConfigError: as of `choose`.
    """
    module.to(process.device)
    chosen = choose(strategy, sum(p.numel() for p in module.parameters()), process)
    if chosen == "whole":
        return _whole(module, process)
    if chosen == "ddp":
        return _replicated(module, process, unused=unused)
    return _partitioned(module, units, chosen, process)


def _group(process: Process) -> int:
    """Processes of a worker that may share one whole; 1 where layers are split beyond it."""
    return 1 if process.local_world % process.tensor else process.local_world // process.tensor


def _whole(module: nn.Module, process: Process) -> Sharded:
    return Sharded(
        strategy="whole",
        call=module,
        module=module,
        scale=1.0,
        gate=lambda _: nullcontext(),
        copies=_copies(module, process) if process.tensor > 1 else {},
    )


def _replicated(module: nn.Module, process: Process, *, unused: bool) -> Sharded:
    wrapped = DistributedDataParallel(
        module,
        device_ids=[process.device] if process.device.type == "cuda" else None,
        gradient_as_bucket_view=True,
        find_unused_parameters=unused,
        process_group=process.data_group,
    )
    return Sharded(
        strategy="ddp",
        call=wrapped,
        module=module,
        scale=float(process.data_world),  # DDP always averages
        gate=lambda last: nullcontext() if last else wrapped.no_sync(),
        copies=_copies(module, process) if process.tensor > 1 else {},
    )


def _partitioned(
    module: nn.Module, units: Iterable[nn.Module], strategy: Strategy, process: Process
) -> Sharded:
    from torch.distributed.fsdp import fully_shard  # two seconds that DDP saves

    mesh = _mesh(strategy, process)
    parts = [fully_shard(part, mesh=mesh) for part in (*units, module)]
    for part in parts:
        _sums(part)
    root = parts[-1]

    @contextmanager
    def gate(last: bool) -> Iterator[None]:  # noqa: FBT001  (as Sharded.gate is typed)
        root.set_requires_gradient_sync(last)
        root.set_reshard_after_backward(last)
        yield

    return Sharded(
        strategy=strategy,
        call=module,
        module=module,
        scale=1.0,
        gate=gate,
        copies=_copies(module, process),
    )


def _mesh(strategy: Strategy, process: Process) -> DeviceMesh:
    """Those that hold the same parts of layers, in a row; with HSDP in one row for each worker."""
    from torch.distributed.device_mesh import init_device_mesh

    group = _group(process) if strategy == "hsdp" else process.data_world
    sizes = {
        "replicate": process.data_world // group,
        "shard": group,
        "tensor": process.tensor,
    }
    used = {name: size for name, size in sizes.items() if size > 1}
    kind, shape = process.device.type, tuple(used.values())
    mesh = init_device_mesh(kind, shape, mesh_dim_names=tuple(used))
    return mesh[tuple(name for name in used if name != "tensor")]


def _copies(module: nn.Module, process: Process) -> dict[nn.Parameter, int]:
    cut = splits.cuts(module)
    return {
        parameter: _replicas(parameter, process) * (1 if name in cut else process.tensor)
        for name, parameter in module.named_parameters()
    }


def _replicas(parameter: nn.Parameter, process: Process) -> int:
    """How many hold the same of a parameter, among those that hold the same parts of layers."""
    if not hasattr(parameter, "full_tensor"):
        return process.data_world
    from torch.distributed.tensor import DTensor

    assert isinstance(parameter, DTensor)
    sizes = zip(parameter.placements, parameter.device_mesh.shape, strict=True)
    return math.prod(size for placement, size in sizes if placement.is_replicate())


def _sums(part: FSDPModule) -> None:
    # The loss is divided by the global count already. The factor alone asks gloo for an
    # operation that it lacks.
    part.set_gradient_divide_factor(1.0)
    part.set_force_sum_reduction_for_comms(True)

"""How processes share a model: each holds all of it (DDP), or a part of every tensor (FSDP2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torch import nn
from torch.nn.parallel import DistributedDataParallel

from graft_api.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.distributed.fsdp import FSDPModule

    from graft_worker.distributed.process import Process

# Weights, gradient and two moments in fp32 are 16 bytes a parameter: a billion of them still fit
# one device, and DDP then moves less data than FSDP.
LARGE = 1_000_000_000

Strategy = Literal["whole", "ddp", "fsdp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharded:
    """A module prepared for its world.

    `call` is what to call, `module` the same network under its own names. The gradient after the
    last micro-batch is the sum over all processes when each loss is multiplied by `scale`.
    """

    strategy: Strategy
    call: nn.Module
    module: nn.Module
    scale: float
    gate: Callable[[bool], AbstractContextManager[None]]

    def micro_batch(self, *, last: bool) -> AbstractContextManager[None]:
        """Surrounds one forward and backward; gradients are exchanged in the last one only."""
        return self.gate(last)

    @property
    def in_step(self) -> bool:
        """Whether every forward is an exchange, so that all processes must do equally many."""
        return self.strategy == "fsdp"


def choose(wish: str, parameters: int, world: int) -> Strategy:
    """The strategy for a model of so many parameters.

    Raises:
        ConfigError: the wish is none of auto, ddp, fsdp.
    """
    if wish not in ("auto", "ddp", "fsdp"):
        raise ConfigError(
            f"workers.parallel.strategy: {wish} is not available in this version",
            hint="use auto, ddp or fsdp",
        )
    if world == 1:
        return "whole"
    if wish == "fsdp" or (wish == "auto" and parameters > LARGE):
        return "fsdp"
    return "ddp"


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
        ConfigError: the strategy is none of auto, ddp, fsdp.
    """
    module.to(process.device)
    chosen = choose(strategy, sum(p.numel() for p in module.parameters()), process.world)
    if chosen == "whole":
        return _whole(module)
    if chosen == "ddp":
        return _replicated(module, process, unused=unused)
    return _partitioned(module, units, process)


def _whole(module: nn.Module) -> Sharded:
    return Sharded(
        strategy="whole", call=module, module=module, scale=1.0, gate=lambda _: nullcontext()
    )


def _replicated(module: nn.Module, process: Process, *, unused: bool) -> Sharded:
    wrapped = DistributedDataParallel(
        module,
        device_ids=[process.device] if process.device.type == "cuda" else None,
        gradient_as_bucket_view=True,
        find_unused_parameters=unused,
    )
    return Sharded(
        strategy="ddp",
        call=wrapped,
        module=module,
        scale=float(process.world),  # DDP always averages
        gate=lambda last: nullcontext() if last else wrapped.no_sync(),
    )


def _partitioned(module: nn.Module, units: Iterable[nn.Module], process: Process) -> Sharded:
    from torch.distributed.device_mesh import init_device_mesh  # two seconds that DDP saves
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(process.device.type, (process.world,))
    parts = [fully_shard(part, mesh=mesh) for part in (*units, module)]
    for part in parts:
        _sums(part)
    root = parts[-1]

    @contextmanager
    def gate(last: bool) -> Iterator[None]:  # noqa: FBT001  (as Sharded.gate is typed)
        root.set_requires_gradient_sync(last)
        root.set_reshard_after_backward(last)
        yield

    return Sharded(strategy="fsdp", call=module, module=module, scale=1.0, gate=gate)


def _sums(part: FSDPModule) -> None:
    # The loss is divided by the global count already. The factor alone asks gloo for an
    # operation that it lacks.
    part.set_gradient_divide_factor(1.0)
    part.set_force_sum_reduction_for_comms(True)

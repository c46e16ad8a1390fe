"""This process among the others of the gang: its rank, its device and the exchanges between them.

Alone, a process needs no group: every exchange is then the identity. Where `tensor` processes split
each layer (see `splits`), those with neighbouring ranks do, and they read the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from graft_api.errors import ConfigError, WorldError
from graft_worker.config import COLLECTIVE_SECONDS
from graft_worker.distributed import limits

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

PATIENCE = timedelta(seconds=COLLECTIVE_SECONDS)

CPU = torch.device("cpu")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of `world`; rank 0 speaks for all."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1
    device: torch.device = CPU
    tensor: int = 1
    tensor_group: ProcessGroup | None = None  # those that split layers with this one
    data_group: ProcessGroup | None = None  # those that hold the same parts; none where that is all

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    @property
    def tensor_rank(self) -> int:
        """Its place among those that split layers with it."""
        return self.rank % self.tensor

    @property
    def data_rank(self) -> int:
        """Its place among those that read different rows."""
        return self.rank // self.tensor

    @property
    def data_world(self) -> int:
        """How many read different rows."""
        return self.world // self.tensor

    @property
    def counts(self) -> bool:
        """Whether what it says of its rows counts: of those that read the same, one does."""
        return self.tensor_rank == 0

    def sum(self, tensor: Tensor) -> Tensor:
        """The tensor itself, now holding the sum over all processes."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def any(self, flag: bool) -> bool:  # noqa: FBT001  (the flag is the value exchanged)
        """Whether the flag is set in any process; the same answer everywhere."""
        if self.world == 1:
            return flag
        return bool(self.sum(torch.tensor([int(flag)], dtype=torch.int32)).item())

    def gather(self, value: T) -> tuple[T, ...]:
        """On rank 0 the values of all processes by rank, elsewhere nothing."""
        if self.world == 1:
            return (value,)
        values: list[Any] | None = [None] * self.world if self.leads else None
        dist.gather_object(value, values, dst=0)
        return tuple(values or ())

    def broadcast(self, value: T) -> T:
        """Rank 0's value, in every process."""
        if self.world == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def close(self) -> None:
        """Leaves the group; no exchange is possible afterwards."""
        if self.world > 1 and dist.is_initialized():
            dist.destroy_process_group()


def join(environ: Mapping[str, str], *, least: int = 1, patience: timedelta = PATIENCE) -> Process:
    """This process as a member of the gang that torchrun's variables describe; alone without them.

    Sets the number of threads as well. `least` is the smallest world that may train, `patience` how
    long an exchange waits for a lost peer.

    Raises:
        WorldError: fewer processes than `least`.
        ConfigError: a variable is no whole number, or more processes than accelerators.
    """
    process = _described(environ)
    if process.world < least:
        raise WorldError(
            f"{process.world} processes have joined, the job needs at least {least}",
            hint="wait for more workers, or lower workers.min",
        )
    torch.set_num_threads(threads(environ, process.local_world))
    if process.world > 1:
        _connect(process, patience)
    return process


def threads(environ: Mapping[str, str], local_world: int) -> int:
    """Threads for this process: OMP_NUM_THREADS, or its share of the cores that it may use.

    The host's count is wrong in a container: threads beyond the granted cores only wait.
    """
    if environ.get("OMP_NUM_THREADS"):
        return max(1, _number(environ, "OMP_NUM_THREADS", 1))
    granted = limits.cores()
    most = torch.get_num_threads() if granted is None else min(granted, torch.get_num_threads())
    return max(1, int(most) // local_world)


def _described(environ: Mapping[str, str]) -> Process:
    local_rank = _number(environ, "LOCAL_RANK", 0)
    return Process(
        rank=_number(environ, "RANK", 0),
        world=_number(environ, "WORLD_SIZE", 1) if "RANK" in environ else 1,
        local_rank=local_rank,
        local_world=_number(environ, "LOCAL_WORLD_SIZE", 1),
        device=_device(local_rank),
    )


def _device(local_rank: int) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if local_rank >= torch.cuda.device_count():
        raise ConfigError(
            f"workers.processes: process {local_rank} of this worker has no GPU of its own,"
            f" there are {torch.cuda.device_count()}",
            hint="set workers.processes to auto, or to the number of GPUs",
        )
    return torch.device("cuda", local_rank)


def _connect(process: Process, patience: timedelta) -> None:
    on_gpu = process.device.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(process.device)
    # gloo beside nccl: what rank 0 decides and what travels as objects never touches the GPU.
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if on_gpu else "gloo",
        rank=process.rank,
        world_size=process.world,
        timeout=patience,
    )


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{name}={text!r}: expected a whole number") from None

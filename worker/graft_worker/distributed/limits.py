"""What the machine, or the container on it, grants this process: cores and bytes."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import psutil
import torch

CGROUP = Path("/sys/fs/cgroup")
VERSIONS = (  # limit, usage, statistics of a control group, and how names begin in the last
    ("memory.max", "memory.current", "memory.stat", ""),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_",
    ),
)
UNLIMITED = 1 << 60  # version 1 of control groups writes a number near 2^63 for "no limit"


def cores(*, cgroup: Path = CGROUP) -> float | None:
    """Processor time granted by the control group, in cores; None where it sets no limit."""
    quota, period = _cpu_max(cgroup)
    return quota / period if quota > 0 and period > 0 else None


def free_bytes(*, cgroup: Path = CGROUP) -> int:
    """Bytes still free: the machine's, or the rest of the control group's limit.

    Cached pages of files count as free. The kernel charges them to the group that reads a file
    first and gives them up on demand: counted as used, the first pod on a node would seem to have
    hundreds of megabytes less than the next one, and would choose another micro-batch.
    """
    available = int(psutil.virtual_memory().available)
    for limit, used, stat, prefix in VERSIONS:
        most, taken = _number(cgroup / limit), _number(cgroup / used)
        if most is not None and taken is not None and most < UNLIMITED:
            cached = _cached(cgroup / stat, prefix)
            available = min(available, max(0, most - max(0, taken - cached)))
    return available


def peak_bytes(device: torch.device) -> int:
    """The most memory that this process has held: of its GPU, or of the machine."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _cpu_max(cgroup: Path) -> tuple[int, int]:
    words = _text(cgroup / "cpu.max").split()
    if len(words) == 2 and words[0].isdigit():
        return int(words[0]), int(words[1])
    quota = _number(cgroup / "cpu" / "cpu.cfs_quota_us")
    period = _number(cgroup / "cpu" / "cpu.cfs_period_us")
    return quota or 0, period or 0


def _cached(stat: Path, prefix: str) -> int:
    """Bytes of file pages in a control group's statistics."""
    wanted = {f"{prefix}active_file", f"{prefix}inactive_file"}
    lines = (line.partition(" ") for line in _text(stat).splitlines())
    return sum(int(value) for name, _, value in lines if name in wanted)


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:  # another version of control groups, or none
        return ""

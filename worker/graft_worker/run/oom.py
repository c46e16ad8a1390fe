"""How many processes the kernel has killed for want of memory: who else was killed, by whom?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")
MACHINE = Path("/proc/vmstat")


def kills() -> int | None:
    """Those of this process's control group, else those of the machine; None where none says."""
    with suppress(OSError):
        for path in places(GROUPS.read_text()):
            if (found := _count(path)) is not None:
                return found
    return _count(MACHINE)


def places(groups: str) -> Iterator[Path]:
    """Where a process counts them whose `/proc/self/cgroup` this is: version 2, then version 1.

    In a container its own group is mounted where that of the machine is elsewhere.
    """
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield MOUNT / path.lstrip("/") / "memory.events"
            yield MOUNT / "memory.events"
        elif controllers == "memory":
            yield MOUNT / "memory" / path.lstrip("/") / "memory.oom_control"
            yield MOUNT / "memory" / "memory.oom_control"


def _count(path: Path) -> int | None:
    """All three files have it on a line of that name."""
    with suppress(OSError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return None

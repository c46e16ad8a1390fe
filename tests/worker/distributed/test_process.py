"""Joining the gang, and what the machine grants."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from graft_api.errors import ConfigError, WorldError
from graft_worker.distributed import limits
from graft_worker.distributed.process import Process, join, threads
from tests.worker.distributed import gang


def exchanged(process: Process) -> tuple[list[float], tuple[int, ...], str, tuple[bool, bool]]:
    total = process.sum(torch.tensor([1.0, float(process.rank)]))
    gathered = process.gather(process.rank * 10)
    told = process.broadcast(f"from {process.rank}")
    return total.tolist(), gathered, told, (process.any(process.rank == 1), process.any(False))


def test_two_processes_exchange_sums_objects_and_flags() -> None:
    assert gang.run(2, exchanged) == (
        ([2.0, 1.0], (0, 10), "from 0", (True, False)),
        ([2.0, 1.0], (), "from 0", (True, False)),
    )


def test_alone_every_exchange_is_the_identity() -> None:
    assert exchanged(Process()) == ([1.0, 0.0], (0,), "from 0", (False, False))


def test_without_torchruns_variables_a_process_is_alone_and_needs_no_group() -> None:
    process = join({"OMP_NUM_THREADS": "1"})
    assert (process.rank, process.world, process.leads) == (0, 1, True)
    assert not torch.distributed.is_initialized()
    process.close()


def test_a_world_below_the_minimum_refuses_to_train() -> None:
    with pytest.raises(WorldError) as caught:
        join({"RANK": "0", "WORLD_SIZE": "1", "OMP_NUM_THREADS": "1"}, least=2)
    assert str(caught.value) == (
        "1 processes have joined, the job needs at least 2\n"
        "  wait for more workers, or lower workers.min"
    )


def test_a_variable_that_is_no_number_is_named() -> None:
    with pytest.raises(ConfigError, match="RANK='first': expected a whole number"):
        join({"RANK": "first"})


@pytest.mark.parametrize(
    ("environ", "local_world", "expected"),
    [
        pytest.param({"OMP_NUM_THREADS": "3"}, 2, 3, id="the variable is taken as it is"),
        pytest.param({"OMP_NUM_THREADS": "0"}, 1, 1, id="there is one thread at least"),
        pytest.param({}, 1_000, 1, id="cores are shared between the processes of a worker"),
    ],
)
def test_threads(environ: dict[str, str], local_world: int, expected: int) -> None:
    assert threads(environ, local_world) == expected


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"cpu.max": "150000 100000\n"}, 1.5, id="a quota of version 2"),
        pytest.param({"cpu.max": "max 100000\n"}, None, id="no quota in version 2"),
        pytest.param(
            {"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            4.0,
            id="a quota of version 1",
        ),
        pytest.param({"cpu/cpu.cfs_quota_us": "-1\n"}, None, id="no quota in version 1"),
        pytest.param({}, None, id="no control groups"),
    ],
)
def test_granted_cores(tmp_path: Path, files: dict[str, str], expected: float | None) -> None:
    assert limits.cores(cgroup=written(tmp_path, files)) == expected


def test_free_bytes_are_the_rest_of_the_control_groups_limit(tmp_path: Path) -> None:
    files = {"memory.max": "1000000\n", "memory.current": "400000\n"}
    assert limits.free_bytes(cgroup=written(tmp_path, files)) == 600_000


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(
            {
                "memory.max": "1000000\n",
                "memory.current": "900000\n",
                "memory.stat": "anon 300000\nfile 600000\n"
                "inactive_file 250000\nactive_file 350000\n",
            },
            id="version 2",
        ),
        pytest.param(
            {
                "memory/memory.limit_in_bytes": "1000000\n",
                "memory/memory.usage_in_bytes": "900000\n",
                "memory/memory.stat": "inactive_file 1\ntotal_rss 300000\n"
                "total_inactive_file 250000\ntotal_active_file 350000\n",
            },
            id="version 1",
        ),
    ],
)
def test_cached_pages_of_files_are_free(tmp_path: Path, files: dict[str, str]) -> None:
    assert limits.free_bytes(cgroup=written(tmp_path, files)) == 700_000


def test_free_bytes_of_an_unlimited_group_are_the_machines(tmp_path: Path) -> None:
    files = {"memory.max": "max\n", "memory.current": "400000\n"}
    assert limits.free_bytes(cgroup=written(tmp_path, files)) > 1_000_000

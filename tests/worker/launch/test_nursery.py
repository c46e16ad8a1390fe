"""Workers that are forked: as good as programs, and no worse where forking is not possible."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from graft_worker.run.nursery import NURSERY, WORKER
from tests.worker.launch.conftest import Launchers
from tests.worker.launch.worker import starts
from tests.worker.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has nurseries")


def comm(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text().strip()


def nursery(launcher: int) -> psutil.Process:
    (found,) = (p for p in psutil.Process(launcher).children() if comm(p.pid) == NURSERY)
    return found


def working(launchers: Launchers, workers: int) -> list[int]:
    until(lambda: len(starts(launchers.folder, alive=True)) == workers)
    return starts(launchers.folder, alive=True)


def test_forked_workers_are_the_launchers_own_children(launchers: Launchers) -> None:
    launcher = launchers.start("wait wait", NURSERY="1")
    for worker in working(launchers, 2):
        assert psutil.Process(worker).ppid() == launcher
        assert (comm(worker), os.getsid(worker)) == (WORKER, worker)
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 75


def test_without_the_nursery_workers_go_on_and_the_next_start_as_programs(
    launchers: Launchers,
) -> None:
    launcher = launchers.start("wait wait", NURSERY="1", PET_MAX_RESTARTS="1")
    first = working(launchers, 2)
    nursery(launcher).kill()
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(starts(launchers.folder)) == 4)
    for worker in working(launchers, 2):
        assert psutil.Process(worker).cmdline()[-1].endswith("worker.py")
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 75


def test_what_forked_workers_say_goes_where_torchrun_would_have_it(launchers: Launchers) -> None:
    logs = launchers.folder / "logs"
    logs.mkdir()
    launchers.start("wait data", NURSERY="1", PET_REDIRECTS="3", PET_LOG_DIR=str(logs))
    assert launchers.wait() == 65
    (said,) = logs.glob("*/attempt_0/1/stderr.log")
    last = json.loads(said.read_text().splitlines()[-1])
    assert (last["message"], last["rank"]) == ("train.tsv:3: no label\n  give it one", "1")


FORKED = """
import json, os, sys
import psutil
from graft_worker.run import born
from graft_worker.run.nursery import Nursery, Order

def work(environ):
    import torch
    found = {
        "dynamo": "torch._dynamo" in sys.modules,
        "train": "graft_worker.run.train" in sys.modules,
        "cudaIsLost": torch.cuda._is_in_bad_fork(),
        "environ": dict(os.environ),
    }
    print(json.dumps(found))
    return 7

nursery = Nursery.found(work, preload=born.preload)
child = nursery.start(Order(environ={"RANK": "3"}))
print(psutil.Process(nursery.process).num_threads(), file=sys.stderr)
code = child.wait()
nursery.close()
sys.exit(code)
"""


def test_a_worker_has_everything_imported_and_may_still_use_cuda() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FORKED],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 7, ended.stderr
    assert json.loads(ended.stdout) == {
        "dynamo": True,
        "train": True,
        "cudaIsLost": False,
        "environ": {"RANK": "3"},
    }
    assert ended.stderr == "1\n"  # the nursery has one thread


POISONED = """
import os, sys, torch
from graft_worker.run import born
from graft_worker.run.nursery import Nursery, Order

nursery = Nursery.found(born.train, preload=torch._C._cuda_getDeviceCount)
environ = os.environ | {"PYTHONPATH": os.pathsep.join([sys.argv[1], os.environ["PYTHONPATH"]])}
child = nursery.start(Order(environ=environ))
sys.exit(child.wait())
"""


@pytest.mark.skipif(not hasattr(torch._C, "_cuda_getDeviceCount"), reason="torch without CUDA")
def test_where_cuda_was_touched_before_the_fork_a_worker_starts_as_a_program(
    tmp_path: Path, root: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'anew')!r}, 'w').close()\n")
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    ended = subprocess.run(
        [sys.executable, "-c", POISONED, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 64, ended.stderr
    assert "GRAFT_JOB_FILE is not set" in ended.stderr
    assert (tmp_path / "anew").exists()

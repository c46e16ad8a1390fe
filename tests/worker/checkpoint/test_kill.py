from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from graft_worker.checkpoint import folders
from graft_worker.checkpoint.store import Checkpoints
from tests.worker.checkpoint.writers import ELEMENTS
from tests.worker.waiting import until

BYTES = 4 * ELEMENTS


def begun(root: Path) -> list[Path]:
    return [path for path in root.glob(".step-*") if folders.HIDDEN.fullmatch(path.name)]


def written(share: float) -> Callable[[Path], bool]:
    def condition(root: Path) -> bool:
        return any(size(path / "state.safetensors") >= share * BYTES for path in begun(root))

    return condition


def there(name: str) -> Callable[[Path], bool]:
    return lambda root: any((path / name).exists() for path in begun(root))


def renamed(root: Path) -> bool:
    return len(steps(root)) > 2


def steps(root: Path) -> list[int]:
    return [folder.step for folder in folders.listed(root, kind="step")]


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the folder is begun": lambda root: bool(begun(root)),
    **{f"{n} eighths of the tensors are written": written(n / 8) for n in range(1, 9)},
    "the values are written": there("values.json"),
    "the manifest is begun": there("manifest.json"),
    "the new one stands and the old one too": renamed,
}


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    script = Path(__file__).with_name("writers.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "checkpoints")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def killed(process: subprocess.Popen[str], root: Path, moment: Callable[[Path], bool]) -> None:
    """A writer goes on in `root` until it has saved once more; at that moment it is killed."""
    assert process.stdin
    assert process.stdout
    before = steps(root)[:1]
    process.stdin.write("\n")
    process.stdin.flush()
    writer = int(process.stdout.readline())
    until(lambda: steps(root)[:1] > before)
    until(lambda: moment(root))
    os.kill(writer, signal.SIGKILL)
    assert process.stdout.readline() == "gone\n"


def test_a_kill_at_any_moment_of_a_save_leaves_the_previous_checkpoint_whole(
    tmp_path: Path, writers: subprocess.Popen[str]
) -> None:
    root, last, half_written = tmp_path / "checkpoints", 0, 0
    for name, moment in MOMENTS.items():
        killed(writers, root, moment)
        damaged = [f for f in folders.listed(root, kind="step") if f.fault()]
        assert damaged == [], name
        checkpoints = Checkpoints(root, keep=2)
        newest = checkpoints.newest()
        assert newest, name
        assert newest.step > last, name
        state, values = checkpoints.load(newest)
        assert values == {"at": newest.step}, name
        assert torch.equal(state["weight"], torch.full((ELEMENTS,), float(newest.step))), name
        last = newest.step
        half_written += len(begun(root))
    assert half_written >= len(MOMENTS) // 2, "kills missed the saves that they were to hit"


def test_the_save_after_a_kill_removes_what_was_left(
    tmp_path: Path, writers: subprocess.Popen[str]
) -> None:
    root = tmp_path / "checkpoints"
    killed(writers, root, written(0.5))
    checkpoints = Checkpoints(root, keep=2)
    newest = checkpoints.newest()
    assert newest
    checkpoints.save({}, {}, step=newest.step + 1)
    checkpoints.wait()
    assert begun(root) == []

"""What the inspection says of one bad file."""

from __future__ import annotations

from pathlib import Path

import pytest

from graft_worker.data.faults import DataFaults
from graft_worker.data.inspect import inspect
from graft_worker.data.targets import TargetWish
from tests.worker.data.roles import CLASSIFY, selection


def faults(folder: Path, name: str, content: str | bytes, **fields: str) -> list[str]:
    """The lines of the error that inspecting the file gives, without the folder's name."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataFaults) as caught:
        inspect({"train": selection(path, **fields)}, CLASSIFY, wish=TargetWish())
    return [line.replace(f"{folder}/", "") for line in caught.value.faults]

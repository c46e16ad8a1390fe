"""What needs a real GPU; elsewhere these tests skip and say so."""

from __future__ import annotations

import pytest
import torch

from graft_worker.distributed.process import Process


@pytest.fixture(scope="session")
def gpu() -> Process:
    """This process on the first GPU."""
    if not torch.cuda.is_available():
        pytest.skip("no GPU on this machine")
    return Process(device=torch.device("cuda", 0))

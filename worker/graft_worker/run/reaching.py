"""Waits until the rendezvous store of another pod can be reached, asking anew every second.

The address of a fresh Service is unknown to some nodes for a moment. A connection that is tried
then goes nowhere, and repeats itself nowhere for as long as it lives, since the kernel keeps the
way that it once chose: torch would wait for it for a minute. A new one finds its way at once.
"""

from __future__ import annotations

import socket
import time

from torch.distributed.elastic.rendezvous.utils import parse_rendezvous_endpoint
from torch.distributed.launcher.api import LaunchConfig

PATIENCE = 60.0  # seconds; torch's own try, which comes then, tells what is wrong
TRY, PAUSE = 1.0, 0.1
PORT = 29400


def await_store(config: LaunchConfig) -> None:
    """Returns when the store takes connections, or after a minute; at once where it is our own."""
    elsewhere = str(config.rdzv_configs.get("is_host", "")).lower() in ("false", "0")
    if config.rdzv_backend != "c10d" or not elsewhere:
        return
    address = parse_rendezvous_endpoint(config.rdzv_endpoint, default_port=PORT)
    deadline = time.monotonic() + PATIENCE
    while not _answers(address) and time.monotonic() < deadline:
        time.sleep(PAUSE)


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=TRY).close()
    except OSError:
        return False
    return True

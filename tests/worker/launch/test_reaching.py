"""Waiting for the rendezvous store of another pod."""

from __future__ import annotations

import socket
import threading
import time

from torch.distributed.launcher.api import LaunchConfig

from graft_worker.run.reaching import await_store


def config(port: int, **options: str) -> LaunchConfig:
    return LaunchConfig(
        min_nodes=2,
        max_nodes=2,
        nproc_per_node=1,
        rdzv_backend="c10d",
        rdzv_endpoint=f"127.0.0.1:{port}",
        rdzv_configs=options,
    )


def test_it_returns_when_the_store_takes_connections() -> None:
    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))
        opened: list[float] = []

        def listen() -> None:
            opened.append(time.monotonic())
            late.listen()

        threading.Timer(0.5, listen).start()
        await_store(config(late.getsockname()[1], is_host="false"))
        assert opened

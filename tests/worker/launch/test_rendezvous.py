from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from torch.distributed.elastic.rendezvous import RendezvousTimeoutError
from torch.distributed.elastic.rendezvous.dynamic_rendezvous import DynamicRendezvousHandler
from torch.distributed.launcher.api import LaunchConfig

from graft_worker.run import rendezvous
from graft_worker.run.signs import Signs


def joining(nodes: int) -> DynamicRendezvousHandler:
    """The place of one of so many nodes, at a store of its own."""
    config = LaunchConfig(
        min_nodes=nodes,
        max_nodes=nodes,
        nproc_per_node=1,
        run_id=f"of-{nodes}",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        rdzv_configs={"join_timeout": 3, "last_call_timeout": 1},
    )
    handler = rendezvous.specified(config, program=("train",)).rdzv_handler
    assert isinstance(handler, DynamicRendezvousHandler)
    return handler


@pytest.mark.parametrize(
    ("nodes", "least", "most"),
    [
        pytest.param(2, 12, 60, id="few look ten times a second"),
        pytest.param(500, 2, 9, id="many look once a second, as torchrun does"),
    ],
)
def test_the_more_nodes_wait_the_seldomer_they_look(nodes: int, least: int, most: int) -> None:
    handler = joining(nodes)
    looks = 0
    look = handler._state_holder.sync

    def counted() -> bool | None:
        nonlocal looks
        looks += 1
        return look()

    handler._state_holder.sync = counted  # type: ignore[method-assign]
    with pytest.raises(RendezvousTimeoutError):
        handler.next_rendezvous()
    assert least <= looks <= most


def test_in_a_round_that_is_closed_nobody_is_silent() -> None:
    handler = joining(1)
    handler.next_rendezvous()
    signs = Signs(every=1.0)
    signs.note({"another": datetime.now(UTC)}, time.monotonic() - 60)
    assert not rendezvous.lost(handler, 1, signs)
    assert signs.silent > 0
    handler.shutdown()
    assert not rendezvous.lost(handler, 1, signs)
    assert signs.silent == 0

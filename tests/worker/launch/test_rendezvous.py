from __future__ import annotations

import pytest
from torch.distributed.elastic.rendezvous import RendezvousTimeoutError
from torch.distributed.elastic.rendezvous.dynamic_rendezvous import DynamicRendezvousHandler
from torch.distributed.launcher.api import LaunchConfig

from graft_worker.run import rendezvous


@pytest.mark.parametrize(
    ("nodes", "least", "most"),
    [
        pytest.param(2, 12, 60, id="few look ten times a second"),
        pytest.param(500, 2, 8, id="many look once a second, as torchrun does"),
    ],
)
def test_the_more_nodes_wait_the_seldomer_they_look(nodes: int, least: int, most: int) -> None:
    config = LaunchConfig(
        min_nodes=nodes,
        max_nodes=nodes,
        nproc_per_node=1,
        run_id=f"wait-for-{nodes}",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        rdzv_configs={"join_timeout": 2, "last_call_timeout": 1},
    )
    handler = rendezvous.specified(config, program=("train",)).rdzv_handler
    assert isinstance(handler, DynamicRendezvousHandler)
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

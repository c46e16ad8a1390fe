"""GPUs that only the scheduler sees: they are counted and given out, no device comes with them."""

from __future__ import annotations

from tests.cluster.api import Api, Object

RESOURCE = "nvidia.com/gpu"


def give(api: Api, node: str, count: int) -> Object:
    """The node, after it has been said to hold so many."""
    capacity = {"status": {"capacity": {RESOURCE: str(count)}}}
    return api.patch("v1", "Node", node, capacity, part="status")

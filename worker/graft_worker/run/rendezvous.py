"""How the nodes of a gang find each other: torchrun's own variables, read by torchrun's parser."""

from __future__ import annotations

import io
import random
import socket
import sys
import time
import uuid
from argparse import Namespace
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path

from torch.distributed.elastic.agent.server.api import WorkerSpec
from torch.distributed.elastic.rendezvous import (
    RendezvousHandler,
    RendezvousParameters,
    dynamic_rendezvous,
)
from torch.distributed.elastic.rendezvous.dynamic_rendezvous import (
    DynamicRendezvousHandler,
    _RendezvousExitOp,
)
from torch.distributed.elastic.rendezvous.registry import get_rendezvous_handler
from torch.distributed.launcher.api import LaunchConfig
from torch.distributed.run import config_from_args, get_args_parser

from graft_api.errors import ConfigError, NodeError

from . import clocks
from .signs import Signs

HERE = "localhost:0"  # a rendezvous of this node alone, on any free port
OFTEN, SELDOM = 0.1, 1.0  # seconds between two looks at who has come: of few nodes, of many
MANY = 100  # nodes
MASTER_PORT = 29500  # torchrun's own default, of use to its static rendezvous alone


def configured(program: Sequence[str], *, logs: Path) -> LaunchConfig:
    """The gang that this process's `PET_` variables ask for.

    Raises:
        ConfigError: one of them cannot be used.
    """
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            found = get_args_parser().parse_args(["--no-python", sys.executable, *program])
            config, _, _ = config_from_args(_completed(found, logs))
    except (SystemExit, ValueError, AssertionError) as error:
        reason = complaint.getvalue().strip().rpartition("error: ")[2] or error
        raise ConfigError(
            f"PET_ variables: {reason}",
            hint="each names an option of torchrun: PET_NNODES=1:2 is --nnodes 1:2",
        ) from None
    return config


def specified(config: LaunchConfig, *, program: Sequence[str]) -> WorkerSpec:
    """The workers of this node and the rendezvous that they wait at."""
    parameters = RendezvousParameters(
        backend=config.rdzv_backend,
        endpoint=config.rdzv_endpoint,
        run_id=config.run_id,
        min_nodes=config.min_nodes,
        max_nodes=config.max_nodes,
        local_addr=config.local_addr,
        **config.rdzv_configs,
    )
    _look_often(config.max_nodes)
    return WorkerSpec(
        role=config.role,
        local_world_size=config.nproc_per_node,
        entrypoint=sys.executable,
        args=tuple(program),
        rdzv_handler=get_rendezvous_handler(parameters),
        max_restarts=config.max_restarts,
        monitor_interval=config.monitor_interval,
        local_addr=config.local_addr,
    )


def _look_often(nodes: int) -> None:
    """Nodes that wait for each other look often, where they are few: a restart is sooner over."""
    share = min(max(nodes / MANY, OFTEN), SELDOM)  # of torch's second

    def delay(seconds: float | tuple[float, float]) -> None:
        least, most = seconds if isinstance(seconds, tuple) else (seconds, seconds)
        time.sleep(share * random.uniform(least, most))

    dynamic_rendezvous._delay = delay  # type: ignore[attr-defined]


def leave(handler: RendezvousHandler) -> None:
    """This node is out of the rendezvous at once; it stays open for the others."""
    if isinstance(handler, DynamicRendezvousHandler):
        handler._stop_heartbeats()
        deadline = handler._get_deadline(handler._settings.timeout.close)
        handler._op_executor.run(_RendezvousExitOp(), deadline)


def lost(handler: RendezvousHandler, world: int, signs: Signs) -> bool:
    """Whether a node of this round, which had so many, has left or was struck off as silent.

    Without it, exchanges with a machine that lost its power wait until they time out. What the
    others have shown of themselves is noted.
    """
    if not isinstance(handler, DynamicRendezvousHandler):
        return False
    with handler._heartbeat_lock:
        handler._state_holder.sync()
        state = handler._state_holder.state
        here = handler._this_node in state.participants
        beats = {
            str(node): stamp
            for node, stamp in state.last_heartbeats.items()
            if node in state.participants and node != handler._this_node
        }
        if state.closed:
            signs.clear()  # all are done
        else:
            signs.note(beats, time.monotonic())
        return not state.closed and not (here and len(state.participants) >= world)


def sign_seconds(handler: RendezvousHandler) -> float:
    """How often nodes give signs of life, in seconds; 0 where none do."""
    if not isinstance(handler, DynamicRendezvousHandler):
        return 0.0
    return float(handler.settings.keep_alive_interval.total_seconds())


def check_clock(handler: RendezvousHandler) -> None:
    """Refuses to join with a clock by which the other nodes would seem dead, or this one to them.

    Raises:
        NodeError: it differs from the store's by more than half of what makes a node count as dead.
    """
    if not isinstance(handler, DynamicRendezvousHandler):
        return
    settings = handler.settings
    window = settings.keep_alive_interval.total_seconds() * settings.keep_alive_max_attempt
    ahead = clocks.skew(handler._store, limit=window / 2)
    if ahead is not None and abs(ahead) > window / 2:
        way = "ahead of" if ahead > 0 else "behind"
        raise NodeError(
            f"the clock of node {socket.gethostname()} is {abs(ahead):.1f} s {way} the rendezvous"
            f" store's, and nodes count as dead after {window:g} s",
            hint="set the clocks of the nodes by NTP, or raise keep_alive_max_attempt",
        )


def _completed(found: Namespace, logs: Path) -> Namespace:
    found.log_dir = found.log_dir or str(logs)
    found.master_port = found.master_port or MASTER_PORT
    if not found.rdzv_endpoint and found.nnodes in ("1", "1:1"):
        found.rdzv_backend, found.rdzv_endpoint = "c10d", HERE
        found.rdzv_id = str(uuid.uuid4())
        found.local_addr = found.local_addr or "127.0.0.1"
    if not found.rdzv_endpoint and found.rdzv_backend != "static":
        raise ValueError("PET_RDZV_ENDPOINT is missing: nodes meet at the rendezvous store")
    return found

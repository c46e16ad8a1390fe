"""The operator from its start to its end."""

from __future__ import annotations

import logging
import math
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from graft_api.errors import ConfigError, GraftError
from graft_operator import metrics
from graft_operator.cluster.connection import Connection, connect
from graft_operator.cluster.sending import Sender
from graft_operator.cluster.workers import Workers
from graft_operator.settings import Settings, read_settings
from graft_operator.shell import health, lists, logs, mending, watching
from graft_operator.shell.acting import Actor
from graft_operator.shell.gathering import Gatherer
from graft_operator.shell.leading import Leader
from graft_operator.shell.loop import Loop
from graft_operator.shell.state import State
from graft_operator.version import VERSION

log = logging.getLogger(__name__)

AGENT = f"graft-operator/{VERSION}"
RETRY_SECONDS = 2.0
LATE_SECONDS = 5.0  # an event that comes so long after a full list was not missed
LAST_SECONDS = 10.0  # for the reconciles under way when the process is asked to end
SIDE_THREADS = 8  # watches, lease, lists


def main(environ: Mapping[str, str]) -> int:
    """The exit code of the operator: 0 when it was asked to end, 64 for bad settings."""
    try:
        settings = _with_key(read_settings(environ))
        connection = connect(environ, threads=settings.threads + SIDE_THREADS, user_agent=AGENT)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    logs.configure(settings.log_level)
    metrics.INFO.labels(VERSION).set(1)
    state = State()
    health.serve(state, settings)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    leader = Leader(connection, settings, state) if settings.leader_election else None
    try:
        if leader:
            leader.wait()
        else:
            state.lead_until = math.inf
        metrics.LEADER.set(1)
        _operate(state, _sender(connection, state, settings), settings)
    finally:
        # What is being written comes to its end, so that the next leader meets no write of ours.
        if state.queue.close(seconds=LAST_SECONDS) and leader:
            leader.give_back()
    return 0


def _end(*_: object) -> None:
    """Until kopf runs, which has an end of its own."""
    raise SystemExit(0)


def _sender(connection: Connection, state: State, settings: Settings) -> Sender:
    return Sender(
        connection,
        per_second=settings.requests_per_second,
        leads=lambda: state.leads(time.monotonic()),
    )


def _operate(state: State, sender: Sender, settings: Settings) -> None:
    """Lists, then threads that reconcile, then events until the process is asked to end."""
    while not _primed(state, sender, settings):
        time.sleep(RETRY_SECONDS)
    workers = Workers(threads=settings.threads)
    gatherer = Gatherer(state.cache, sender, workers, settings)
    actor = Actor(state, sender, workers, settings)
    loop = Loop(state, gatherer=gatherer, actor=actor, settings=settings)
    for number in range(settings.threads):
        threading.Thread(target=loop.run, name=f"loop-{number}", daemon=True).start()
    threading.Thread(target=state.alarm.ring, name="alarm", daemon=True).start()
    threading.Thread(
        target=_resync, args=(state, sender, settings), name="resync", daemon=True
    ).start()
    state.listed = True
    watching.watch(state, settings)


def _primed(state: State, sender: Sender, settings: Settings) -> bool:
    try:
        lists.prime(state, sender, settings)
    except GraftError as error:
        log.warning("%s", error)
        return False
    return True


def _resync(state: State, sender: Sender, settings: Settings) -> None:
    while True:
        time.sleep(settings.resync_seconds)
        try:
            found = mending.compare(state, sender, settings)
            time.sleep(LATE_SECONDS)
            missed = mending.mend(state, sender, found)
            lists.leftovers(state, sender, settings)
        except GraftError as error:
            log.warning("resync: %s", error)
            continue
        if missed:
            log.warning("events had missed, by kind: %s", dict(missed))


def _with_key(settings: Settings) -> Settings:
    if not settings.control_key_file:
        return settings
    try:
        key = Path(settings.control_key_file).read_bytes().strip()
    except OSError as error:
        raise ConfigError(
            f"GRAFT_OPERATOR_CONTROL_KEY_FILE: {settings.control_key_file}: {error.strerror}",
            hint="mount the Secret that the chart makes",
        ) from None
    return settings.model_copy(update={"control_key": key})

"""The workers of this node under torchelastic, in process, with exit codes that mean something.

torchrun ends with 1 whatever its worker ended with, restarts what no restart can mend, and leaves a
rendezvous only by falling silent. This launcher ends with the code of the worker that failed first
and leaves at once when its node goes.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch.distributed.elastic.agent.server.api import RunResult, WorkerSpec
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.rendezvous import RendezvousTimeoutError
from torch.distributed.launcher.api import LaunchConfig

from graft_api.errors import HungError, Stopped, WorldError
from graft_api.progress import Termination
from graft_api.vocabulary import Env, ExitCode
from graft_worker.config import collective_seconds
from graft_worker.report import termination
from graft_worker.report.board import Board

from . import births, lifeline, reaching, reception, rendezvous, stacks
from .agent import AT_WILL, Agent, Node, tell_workers
from .nursery import Nursery
from .outcomes import Ended, cause, exit_code, repeated, spoken
from .signs import Signs

TRAIN = ("-u", "-m", "graft_worker", "train")


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    code: int
    words: Termination | None


def run(
    environ: Mapping[str, str],
    *,
    program: tuple[str, ...] = TRAIN,
    nursery: Nursery | None = None,
) -> int:
    """The exit code of the worker that failed first, 128 + n for signal n, or 0.

    Workers come from the nursery; without one `program` is what Python runs in each.
    The cause's last words become the launcher's.

    Raises:
        ConfigError: torchrun's variables cannot be used.
        WorldError: too few nodes came together in time.
        NodeError: this node's clock is unfit.
        HungError: no step was finished in time; the stacks are written.
        Stopped: asked to stop before any worker ran, or the gang has no place for this node.
    """
    place = environ.get(Env.TERMINATION_FILE)
    folder = Path(tempfile.mkdtemp(prefix="graft-launch-"))
    try:
        config = rendezvous.configured(program, logs=folder)
        tell_workers(folder)
        if nursery:
            births.come_from(nursery)
        end = _supervised(config, program, environ=environ, folder=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if nursery:
            nursery.close()
    if place and end.words:
        termination.write(Path(place), end.words)
    return end.code


def _supervised(
    config: LaunchConfig, program: Sequence[str], *, environ: Mapping[str, str], folder: Path
) -> _End:
    node = _node(config, environ, folder)
    reaching.await_store(config)
    agent = _agent(config, rendezvous.specified(config, program=program), node)
    with reception.answering(environ, folder=folder, board=node.board, ready=agent.runs):
        return _run(agent, config)


def _node(config: LaunchConfig, environ: Mapping[str, str], folder: Path) -> Node:
    stop = environ.get(Env.STOP_FILE)
    return Node(
        board=Board.create(folder / lifeline.BOARD, workers=config.nproc_per_node),
        folder=folder,
        stacks=stacks.home(environ, otherwise=Path.cwd()),
        alone=config.max_nodes == 1,
        stop_file=Path(stop) if stop else None,
        collective=collective_seconds(environ),
    )


def _agent(config: LaunchConfig, spec: WorkerSpec, node: Node) -> Agent:
    assert config.logs_specs
    agent = Agent(
        spec,
        logs_specs=config.logs_specs,
        start_method=config.start_method,
        log_line_prefix_template=config.log_line_prefix_template,
        shutdown_timeout=config.shutdown_timeout or 0,
    )
    agent.node = node
    agent.signs = Signs(every=rendezvous.sign_seconds(spec.rdzv_handler))
    return agent


def _run(agent: Agent, config: LaunchConfig) -> _End:
    handler = agent.get_worker_group().spec.rdzv_handler
    try:
        rendezvous.check_clock(handler)
        end = _finished(agent, agent.run())
    except (Stopped, HungError):
        rendezvous.leave(handler)
        raise
    except SignalException:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        agent.kill()
        rendezvous.leave(handler)
        return _stopped(agent)
    except RendezvousTimeoutError as error:
        raise _too_few(config) from error
    finally:
        agent.kill()
    if end.code == ExitCode.NODE:
        rendezvous.leave(handler)
    else:
        handler.shutdown()
    return end


def _finished(agent: Agent, result: RunResult | None) -> _End:
    if result is None:
        raise Stopped("the gang is complete without this node")
    ended = agent.ended()
    if not result.is_failed():
        return _End(code=ExitCode.DONE, words=_last(ended.values()))
    if agent.repeated:
        return _End(code=exit_code(agent.repeated.code), words=repeated(agent.repeated))
    first = cause(ended[process] for process in agent.first or ended)
    return _End(code=exit_code(first.code), words=spoken(first))


def _stopped(agent: Agent) -> _End:
    """75 where the workers saved, else what went wrong with the first that did not."""
    ended = agent.ended().values()
    faults = [worker for worker in ended if worker.code not in AT_WILL]
    telling = cause(faults) if faults else max(ended, key=lambda worker: worker.code)
    return _End(code=exit_code(telling.code), words=spoken(telling))


def _last(ended: Iterable[Ended]) -> Termination | None:
    # Rank 0 alone has an artefact to tell of; on another node nobody has.
    return next((worker.words for worker in ended if worker.words), None)


def _too_few(config: LaunchConfig) -> WorldError:
    return WorldError(
        f"fewer than {config.min_nodes} nodes came to {config.rdzv_endpoint} in time",
        hint="see why the other workers do not start, or lower workers.min",
    )

"""Trains, evaluates and publishes a model on this machine, from one job file.

Running the same file again goes on from the newest checkpoint, or says that the job is complete.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_api.vocabulary import Env, ExitCode, ProfileFile, StoreFile
from graft_cli import jobfile, output, screen

if TYPE_CHECKING:
    from graft_worker.local.events import Stop
    from graft_worker.local.runner import LocalResult

EXAMPLE = """\
examples:
  graft run job.yaml
  graft run job.yaml --set training.duration.epochs=5 --set metadata.name=longer
  graft run job.yaml -o json | jq .metrics

exit codes: 0 done, 1 the job failed, 2 bad input and nothing was started, 130 interrupted
"""
FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft run`."""
    jobfile.add_arguments(parser)
    parser.add_argument(
        "--store",
        type=Path,
        default=Path("graft-store"),
        metavar="DIR",
        help="folder of shards, checkpoints and artefacts (default: ./graft-store)",
    )
    output.add_argument(parser)
    parser.add_argument(
        "--metrics-port",
        type=port,
        default=0,
        metavar="N",
        help="port of /metrics and /progress on this machine (default: any free one)",
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="record a few steps after the first ones, and say where the time goes",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def port(text: str) -> int:
    """A port number; ValueError, which argparse reports, for anything else."""
    number = int(text)
    if not 0 <= number < 2**16:
        raise ValueError(text)
    return number


def run(arguments: argparse.Namespace) -> int:
    """Runs the job; the exit code says how it ended."""
    from graft_cli.display import display
    from graft_worker.local.events import Stop
    from graft_worker.local.references import artefacts
    from graft_worker.local.runner import Site, run

    made = partial(artefacts, root=arguments.store)
    plan = jobfile.read(arguments.file, settings=arguments.set, made=made).plan
    _check(arguments.file, plan.kind)
    site = Site(
        store=arguments.store,
        environ=os.environ | ({Env.PROFILE: "1"} if arguments.profile else {}),
        clock=lambda: datetime.now(UTC),
        metrics_port=arguments.metrics_port,
    )
    stop = Stop()
    with stopping(stop), display(quiet=arguments.quiet, clock=time.monotonic) as show:
        result = run(plan, site=site, on_event=show, stop=stop)
    output.write(result.status, form=arguments.output)
    if arguments.profile and not result.already:
        _tell_profile(result)
    return conclude(result)


def _tell_profile(result: LocalResult) -> None:
    """What was recorded, and where; or why nothing was."""
    folder = result.folder / StoreFile.PROFILE / f"attempt-{result.attempt}"
    table = folder / ProfileFile.TABLE
    if table.exists():
        screen.say(table.read_text(encoding="utf-8").rstrip())
        screen.say(f"graft: the time line is in {folder / ProfileFile.TRACE}")
        if (picture := folder / ProfileFile.FLAMES).exists():
            screen.say(f"graft: the flame graph is in {picture}")
    else:
        screen.say("graft: nothing was recorded: no step came after the first ones")


def _check(file: str, kind: str) -> None:
    if kind == "ServeDeployment":
        raise ConfigError(
            f"{file}: kind: a ServeDeployment is run by a cluster",
            hint="here: graft serve ARTEFACT",
        )


def conclude(result: LocalResult) -> int:
    """Says on stderr how the run ended and what to do next; the exit code."""
    last = result.termination
    if not result.already:
        _warn(result)
    if result.state == "Complete":
        if result.already:
            screen.say(f"graft: {result.name} is complete already; nothing was run")
        screen.say(
            f"graft: the model is in {last.artefact_uri}; next:\n"
            f"  {_next(result.kind, last.artefact_uri)}"
        )
        if beside := _beside(result.status.get("comparison", {})):
            screen.say(f"graft: {beside}")
        return 0
    if result.state == "Stopped":
        screen.say(f"graft: {_interrupted(result)}")
        return INTERRUPTED
    hint = f"{last.hint}\nlog: {result.log}".lstrip()
    screen.error(f"{result.stage} failed: {last.message}", hint=hint)
    early = result.stage == "prepare" and last.exit_code in (ExitCode.CONFIG, ExitCode.DATA)
    return BAD_INPUT if early else FAILED


def _warn(result: LocalResult) -> None:
    for warning in result.status.get("dataset", {}).get("warnings", ()):
        screen.say(f"graft: warning: {warning}")


@contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    """Signals ask the run to stop instead of ending this process; what nohup ignores stays so."""
    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, lambda *_: stop.ask()) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _next(kind: str, artefact: str) -> str:
    if kind == "PretrainJob":
        return f"a TransferJob that starts from it: model: {{from: {{uri: {artefact}}}}}"
    return f"graft predict {artefact} --input FILE --output predictions.tsv"


def _beside(comparison: Mapping[str, Any]) -> str:
    """A student beside its teacher; nothing where there is none."""
    if not comparison:
        return ""
    ratios = f"{comparison['sizeRatio']:g}x smaller, {comparison['speedRatio']:g}x faster"
    if "metric" not in comparison:
        return f"beside its teacher it is {ratios}"
    values = f"{comparison['metric']} {comparison['student']}, the teacher {comparison['teacher']}"
    return f"{values}; {ratios}"


def _interrupted(result: LocalResult) -> str:
    again = "run the same command again to go on"
    report = result.progress
    if report is None or report.checkpoint_step is None:
        return f"interrupted before the first checkpoint; {again}"
    if report.checkpoint_step == report.step:
        return f"interrupted at step {report.step}, checkpoint saved; {again}"
    return f"interrupted at step {report.step}; {again} from step {report.checkpoint_step}"

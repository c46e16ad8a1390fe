"""Verbs and their arguments. A verb's module is imported only when the verb is called."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from graft_api.errors import ConfigError

SUMMARIES = {
    "run": "train, evaluate and publish a model on this machine",
    "validate": "check a job file and read its data, without training",
    "explain": "print the plan of a job: stages, processes, environment",
    "predict": "write the predictions of a published model for a file",
    "evaluate": "measure a published model on a file with labels",
    "export": "turn a published model into an ONNX graph, in fp32 or int8",
    "serve": "answer requests over HTTP with a published model",
    "init": "write a commented job file to start from",
    "models": "list the models that a job can name",
    "submit": "start a job in a cluster, or bring it up to date",
    "ls": "list the jobs in a cluster",
    "show": "show one job: spec, conditions, progress, pods, events",
    "watch": "follow jobs as they change, to the end",
    "logs": "print what the workers of a job wrote",
    "why": "say why a job does not progress or has failed, and what to do",
    "stop": "save a checkpoint and release the pods of a job",
    "resume": "go on with a stopped job",
    "scale": "change the number of workers of a job",
    "rm": "remove a job from a cluster",
    "version": "print versions",
}

EXAMPLES = """\
examples:
  graft init text_classify --output job.yaml
  graft run job.yaml
  graft run job.yaml --set training.duration.epochs=1 -o json
  graft submit job.yaml --wait
  graft why reviews

Every verb explains itself: graft run --help
From `submit` to `rm` the verbs speak to a cluster, also as `kubectl graft submit job.yaml`.
"""


class Parser(argparse.ArgumentParser):
    """argparse whose errors read like every other error of graft."""

    def error(self, message: str) -> NoReturn:
        """Raises what `main` reports with exit code 2."""
        raise ConfigError(message, hint=f"`{self.prog} --help` shows the arguments")


def split(argv: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """The verb and its arguments; no verb for a plain `graft` and for `graft --help`.

    Raises:
        ConfigError: there is no such verb.
    """
    if not argv or argv[0] in ("-h", "--help", "help"):
        return (argv[1], ["--help"]) if argv[1:] and argv[1] in SUMMARIES else (None, ())
    verb = "version" if argv[0] == "--version" else argv[0]
    if verb in SUMMARIES:
        return verb, argv[1:]
    near = difflib.get_close_matches(verb, SUMMARIES, n=1, cutoff=0.5)
    hint = f"did you mean `graft {near[0]}`?" if near else f"verbs: {', '.join(SUMMARIES)}"
    raise ConfigError(f"unknown verb {verb!r}", hint=hint)


def program() -> str:
    """What the person typed: `graft`, or `kubectl graft` where kubectl started this."""
    return "kubectl graft" if Path(sys.argv[0]).name.startswith("kubectl-graft") else "graft"


def usage() -> int:
    """Prints what `graft` can do."""
    width = max(map(len, SUMMARIES))
    verbs = "\n".join(f"  {verb:{width}}  {text}" for verb, text in SUMMARIES.items())
    sys.stdout.write(f"usage: {program()} VERB ...\n\nverbs:\n{verbs}\n\n{EXAMPLES}")
    return 0


def parse(verb: str, rest: Sequence[str]) -> int:
    """Runs the verb with its arguments; its exit code."""
    module = importlib.import_module(f"graft_cli.verbs.{verb}")
    parser = Parser(
        prog=f"{program()} {verb}",
        description=module.__doc__,
        epilog=module.EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    try:
        arguments = parser.parse_args(rest)
    except SystemExit as end:  # --help has printed
        return int(end.code or 0)
    code: int = module.run(arguments)
    return code

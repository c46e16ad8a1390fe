"""Starts a job in a cluster, or brings it up to date: checked here first, then applied.

The same file again changes nothing. Data and models have to be where pods can read them:
pvc://, configmap://, s3://, https:// or example://.
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_cli import jobfile, output, screen
from graft_cli.cluster import options

if TYPE_CHECKING:
    from graft_cli.cluster.api import Api
    from graft_cli.cluster.naming import Found

EXAMPLE = """\
examples:
  graft submit job.yaml
  graft submit job.yaml -n team-a --set workers.desired=4 --wait --timeout 2h
  graft submit job.yaml --dry-run

exit codes: 0 done, with --wait complete; 1 the job failed; 2 bad input and nothing was started;
4 --timeout is over and the job goes on; 5 the API server does not answer; 6 not permitted;
130 interrupted and the job goes on
"""
SERVE = "ServeDeployment"
DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft submit`."""
    jobfile.add_arguments(parser)
    options.add_cluster(parser)
    parser.add_argument("--wait", action="store_true", help="follow the job to its end")
    parser.add_argument(
        "--timeout", type=seconds, metavar="TIME", help="longest wait, such as 90m or 2h"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="let the server check it, print it, start nothing"
    )
    parser.add_argument(
        "--force", action="store_true", help="take over fields that others have changed since"
    )


def seconds(text: str) -> float:
    """The length of a time such as 90s, 1h30m or 2d; ValueError, which argparse reports, else."""
    found = DURATION.fullmatch(text)
    if not text or not found:
        raise ValueError(text)
    days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)


def run(arguments: argparse.Namespace) -> int:
    """Applies the job; with --wait its end is the exit code."""
    from graft_cli.cluster import following, manifests
    from graft_cli.cluster.api import open_api

    if arguments.timeout is not None and not arguments.wait:
        raise ConfigError("--timeout has no effect without --wait", hint="add --wait")
    api = open_api(arguments)
    body = manifests.read(
        arguments.file,
        settings=arguments.set,
        namespace=api.namespace,
        given=arguments.namespace,
    )
    if arguments.wait and body["kind"] == SERVE:
        raise ConfigError(
            "--wait: a ServeDeployment has no end",
            hint=f"kubectl wait --for=condition=Ready serve/{body['metadata']['name']}",
        )
    if arguments.dry_run:
        dry_run(api, body, force=arguments.force)
        return 0
    found = submit(api, body, force=arguments.force)
    if arguments.wait:
        return following.untouched(
            found, lambda: following.follow(api, found, seconds=arguments.timeout)
        )
    screen.say(next_commands(found, shown_namespace=api.namespace))
    return 0


def dry_run(api: Api, body: dict[str, Any], *, force: bool) -> None:
    """Prints what the server would store."""
    from graft_cli.cluster.applying import applied

    made = applied(api, body, force=force, dry_run=True).json()
    made.get("metadata", {}).pop("managedFields", None)
    output.write(made, form="yaml")
    screen.say("graft: the server would take this job; nothing was started")


def submit(api: Api, body: dict[str, Any], *, force: bool) -> Found:
    """The job as it is now in the cluster; says whether it is new, changed or neither."""
    from graft_cli.cluster.applying import applied, outcome
    from graft_cli.cluster.naming import Found
    from graft_operator.cluster.requests import ref_of

    ref = ref_of(body)
    before = api.find(ref)
    answer = applied(api, body, force=force, dry_run=False)
    found = Found(ref=ref, raw=answer.json())
    print(screen.harmless(f"{found.label} {outcome(before, answer)}"), flush=True)
    return found


def next_commands(found: Found, *, shown_namespace: str) -> str:
    """What a person does next."""
    from graft_cli.cluster import view

    space = found.ref.namespace
    where = "" if space == shown_namespace else f" -n {space}"
    if found.ref.kind == SERVE:
        return f"next:\n  kubectl get serve/{found.ref.name}{where} --watch"
    name = f"{found.ref.name}{where}"
    if view.ending(found.raw) is not None:
        return f"graft: the job has ended already ({view.phase(found.raw)}); graft show {name}"
    verbs = ("watch", "logs", "why", "stop")
    return "next:\n" + "\n".join(f"  graft {verb} {name}" for verb in verbs)

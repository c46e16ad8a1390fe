"""Server-side apply of a job, and what it changed."""

from __future__ import annotations

from dataclasses import replace

from graft_cli.endings import EndedError, Ending
from graft_operator.cluster.requests import Answer, apply

from .api import MANAGER, Api, Object, refusal


def applied(api: Api, body: Object, *, force: bool, dry_run: bool) -> Answer:
    """The server's answer to the apply.

    Raises:
        EndedError: it refuses; a field of another, or one that is fixed, is named.
    """
    request = apply(body, manager=MANAGER, dry_run=dry_run)
    if force:
        mark = "&" if "?" in request.path else "?"
        request = replace(request, path=f"{request.path}{mark}force=true")
    answer = api.ask(request)
    if answer.ok:
        return answer
    name = body["metadata"]["name"]
    if answer.code == 409:
        hint = f"--force sets what the file says; `graft show {name} -o yaml` shows what is there"
        message = f"others have changed what the file sets: {answer.message()}"
        raise EndedError(message, hint=hint, code=Ending.BAD_INPUT)
    error = refusal(request, answer)
    if "cannot be changed" in error.message:
        error.hint = f"give it another name, or remove the old one first: graft rm {name}"
    raise error


def outcome(before: Object | None, answer: Answer) -> str:
    """`created`, `configured` or `unchanged`."""
    if before is None:
        return "created"
    after = answer.json()
    return "unchanged" if _written(before) == _written(after) else "configured"


def _written(raw: Object) -> tuple[object, ...]:
    """What people write of an object."""
    meta = raw["metadata"]
    return raw["spec"], meta.get("labels"), meta.get("annotations")

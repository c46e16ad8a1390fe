"""What this version does not do yet: a table of fields, so that nothing is accepted silently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import blueprint
from .faults import Fault
from .limits import DATA_SCHEMES, Limit
from .wording import quote

if TYPE_CHECKING:
    from .kinds import Job


_DATA = "use a path, example://, https:// or s3://"

# What holds for every kind; a kind's own limits stand in its blueprint.
LIMITS = (
    *(
        Limit(path=f"spec.data.{split}.{key}", schemes=DATA_SCHEMES, instead=_DATA)
        for split in ("train", "validation", "test", "unlabelled")
        for key in ("uri", "uris[]")
    ),
    Limit(path="spec.data.prepare.workers", allowed=(1,), instead="available: 1"),
    Limit(
        path="spec.training.optimizer.name",
        allowed=("adamw", "lamb", "adam", "sgd"),
        instead="available: adamw, lamb, adam, sgd",
    ),
    Limit(path="spec.output.formats[]", allowed=("safetensors",), instead="available: safetensors"),
    Limit(
        path="spec.output.uri",
        schemes=("", "file"),
        instead="use a local folder, or leave it out for the store",
    ),
)


def faults(job: Job) -> tuple[Fault, ...]:
    """Every field of the job that this version cannot honour."""
    plain = job.model_dump(mode="json", by_alias=True, exclude_none=True)
    return tuple(
        _fault(path, value if limit.allowed or limit.schemes else None, limit.instead)
        for limit in (*blueprint.of(job).limits, *LIMITS)
        for path, value in _values(plain, limit.path.split("."))
        if limit.refuses(value)
    )


def _fault(path: str, value: object, instead: str) -> Fault:
    found = "" if value is None else f"{quote(value)} "
    message = f"{found}is not available in this version; {instead}"
    return Fault(path=path, line=0, message=message)


def _values(node: Any, steps: list[str], path: str = "") -> Iterator[tuple[str, Any]]:
    """The values at the path, with their own paths; none where the job leaves the field out."""
    if not steps:
        yield path.removeprefix("."), node
        return
    name, rest = steps[0].removesuffix("[]"), steps[1:]
    if name not in node:
        return
    if name == steps[0]:
        yield from _values(node[name], rest, f"{path}.{name}")
    else:
        for index, item in enumerate(node[name]):
            yield from _values(item, rest, f"{path}.{name}[{index}]")

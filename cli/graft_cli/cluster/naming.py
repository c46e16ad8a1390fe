"""Which job or deployment a person means: `name` or `kind/name`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from graft_api.errors import ConfigError
from graft_cli.endings import EndedError, Ending
from graft_operator.cluster.requests import Ref

from .api import Api, Object, together

KINDS = ("PretrainJob", "TransferJob", "DistillJob")  # that come to an end
ALL = (*KINDS, "ServeDeployment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A job or a deployment as the server holds it."""

    ref: Ref
    raw: Object

    @property
    def label(self) -> str:
        """`transferjob/reviews`."""
        return f"{self.ref.kind.lower()}/{self.ref.name}"


def kind_of(word: str, kinds: tuple[str, ...] = KINDS) -> str:
    """The kind that the word means: its name, plural or short name, in any case.

    Raises:
        ConfigError: it means none.
    """
    plain = word.lower().removesuffix(".graft.dev")
    for kind in kinds:
        if plain in (kind.lower(), f"{kind.lower()}s", short(kind)):
            return kind
    known = ", ".join(map(short, kinds))
    raise ConfigError(f"{word!r} is no kind of job", hint=f"kinds: {known}")


def short(kind: str) -> str:
    """The short name of a kind."""
    return kind.lower().removesuffix("job").removesuffix("deployment")


def find(api: Api, text: str, kinds: tuple[str, ...] = KINDS) -> Found:
    """The one job of that name, of these kinds.

    Raises:
        EndedError: there is none.
        ConfigError: there are several kinds of that name.
    """
    word, slash, name = text.rpartition("/")
    kinds = (kind_of(word, kinds),) if slash else kinds
    refs = [Ref(kind=kind, namespace=api.namespace, name=name) for kind in kinds]
    if not name:
        raise ConfigError(f"{text!r} names no job", hint="for example reviews, or transfer/reviews")
    raws = together(*((lambda ref=ref: api.find(ref)) for ref in refs))
    found = [Found(ref=ref, raw=raw) for ref, raw in zip(refs, raws, strict=True) if raw]
    if len(found) > 1:
        labels = " or ".join(job.label for job in found)
        raise ConfigError(f"{name} names {len(found)} jobs", hint=f"say which: {labels}")
    if not found:
        raise _missing(api, name, kinds)
    return found[0]


def _missing(api: Api, name: str, kinds: tuple[str, ...]) -> EndedError:
    lists = together(*((lambda kind=kind: names(api, kind)) for kind in kinds))
    known = [known for some in lists for known in some]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`graft ls -A` lists the jobs of all namespaces"
    what = kinds[0] if len(kinds) == 1 else "job"
    message = f"no {what} {name} in namespace {api.namespace}"
    return EndedError(message, hint=hint, code=Ending.NOT_FOUND)


def names(api: Api, kind: str) -> list[str]:
    """Names of the jobs of that kind in the namespace."""
    items = api.items(Ref(kind=kind, namespace=api.namespace), {"limit": 500})
    return [item["metadata"]["name"] for item in items]

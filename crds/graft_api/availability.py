"""What this version does not do yet: a table of fields, so that nothing is accepted silently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .faults import Fault
from .wording import quote

if TYPE_CHECKING:
    from .kinds import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A field of which this version can use some values only; `[]` in the path is every item.

    `allowed` are the values that work; () refuses the field itself. `schemes` limits a URI to
    those in front of `://`; the empty scheme is a plain path. `instead` says what to use.
    """

    path: str
    allowed: tuple[str | int, ...] = ()
    schemes: tuple[str, ...] = ()
    instead: str

    def refuses(self, value: object) -> bool:
        """Whether the value is one that does not work yet."""
        if self.schemes:
            return _scheme(str(value)) not in self.schemes
        return value not in self.allowed


KINDS = ("TransferJob",)
MOUNTED = ("", "file", "pvc", "configmap")
DATA_SCHEMES = (*MOUNTED, "example", "https", "http", "s3")
MODEL_SCHEMES = (*MOUNTED, "https", "http", "s3", "hf")
_DATA = "use a path, example://, https:// or s3://"

LIMITS = (
    Limit(
        path="spec.app.name",
        allowed=(
            "text_classify",
            "text_match",
            "text_classify_bert",
            "text_classify_cnn",
            "text_classify_multi_label",
            "text_match_bert",
            "text_match_bicnn",
        ),
        instead="available: text_classify, text_match",
    ),
    Limit(
        path="spec.app.variant",
        allowed=("encoder", "textcnn", "single_tower", "bicnn"),
        instead="available: encoder, textcnn of text_classify; single_tower, bicnn of text_match",
    ),
    Limit(path="spec.app.entrypoint", instead="set name to text_classify or text_match"),
    Limit(path="spec.method.name", allowed=("finetune",), instead="available: finetune"),
    *(
        Limit(path=path, schemes=MODEL_SCHEMES, instead="use a folder, https://, s3:// or hf://")
        for path in ("spec.model.from.uri", "spec.model.tokenizer.from.uri")
    ),
    Limit(
        path="spec.model.from.config.architecture",
        allowed=("bert", "auto"),
        instead="available: bert, and auto for any encoder that transformers knows",
    ),
    Limit(path="spec.model.from.config.attention.rsa", instead="leave it out for full attention"),
    Limit(
        path="spec.model.tokenizer.train.kind",
        allowed=("wordpiece", "bpe"),
        instead="available: wordpiece, bpe",
    ),
    *(
        Limit(path=f"spec.data.{split}.{key}", schemes=DATA_SCHEMES, instead=_DATA)
        for split in ("train", "validation", "test")
        for key in ("uri", "uris[]")
    ),
    Limit(path="spec.data.prepare.workers", allowed=(1,), instead="available: 1"),
    Limit(
        path="spec.training.optimizer.name",
        allowed=("adamw", "lamb", "adam", "sgd"),
        instead="available: adamw, lamb, adam, sgd",
    ),
    Limit(
        path="spec.workers.parallel.strategy",
        allowed=("auto", "ddp", "fsdp"),
        instead="available: auto, ddp, fsdp",
    ),
    Limit(path="spec.workers.parallel.tensor", allowed=(1,), instead="available: 1"),
    Limit(path="spec.output.formats[]", allowed=("safetensors",), instead="available: safetensors"),
    Limit(
        path="spec.output.uri",
        schemes=("", "file"),
        instead="use a local folder, or leave it out for the store",
    ),
)


def faults(job: Job) -> tuple[Fault, ...]:
    """Every field of the job that this version cannot honour."""
    if job.kind not in KINDS:
        return (_fault("kind", job.kind, f"available: {', '.join(KINDS)}"),)
    plain = job.model_dump(mode="json", by_alias=True, exclude_none=True)
    return tuple(
        _fault(path, value if limit.allowed or limit.schemes else None, limit.instead)
        for limit in LIMITS
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


def _scheme(uri: str) -> str:
    return uri.partition("://")[0] if "://" in uri else ""

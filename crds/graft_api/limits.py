"""A field of which this version can use some values only."""

from __future__ import annotations

from dataclasses import dataclass

MOUNTED = ("", "file", "pvc", "configmap")
DATA_SCHEMES = (*MOUNTED, "example", "https", "http", "s3")
MODEL_SCHEMES = (*MOUNTED, "https", "http", "s3", "hf")


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


def of_model(path: str, *, architectures: tuple[str, ...], instead: str) -> tuple[Limit, ...]:
    """The limits of a model that a job starts from, at the path of its field."""
    uris = tuple(
        Limit(path=each, schemes=MODEL_SCHEMES, instead="use a folder, https://, s3:// or hf://")
        for each in (f"{path}.from.uri", f"{path}.tokenizer.from.uri")
    )
    return (
        *uris,
        Limit(path=f"{path}.from.config.architecture", allowed=architectures, instead=instead),
        Limit(path=f"{path}.from.config.attention.rsa", instead="leave it out for full attention"),
        Limit(
            path=f"{path}.tokenizer.train.kind",
            allowed=("wordpiece", "bpe"),
            instead="available: wordpiece, bpe",
        ),
    )


def _scheme(uri: str) -> str:
    return uri.partition("://")[0] if "://" in uri else ""

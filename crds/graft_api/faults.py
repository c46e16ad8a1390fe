"""What is wrong with a job file: one value per mistake, all of them in one error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import ConfigError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One mistake: the dotted field, its line (0: none), and what would be right.

    `override` is the `--set` that brought the field in; empty: the file did.
    """

    path: str
    line: int
    message: str
    override: str = ""

    def __str__(self) -> str:
        place = f"--set {self.override}" if self.override else f"line {self.line}"
        parts = (place if self.override or self.line else "", self.path, self.message)
        return ": ".join(part for part in parts if part)


class DecodeError(ConfigError):
    """A job that cannot be used; `faults` holds every mistake, the text one of them per line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda f: (f.line or 2**31, f.override, f.path)))
        super().__init__("\n".join(map(str, self.faults)))


def dotted(path: Path) -> str:
    """The path as people write it: `spec.data.train.uris[1]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")

"""The store's folder of tokenised splits, each named by what its content depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def _nowhere(_folder: Path) -> None:
    """There is no other place to bring it from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """The folder cache/; `bring` has a split that another machine made appear in it, if it can."""

    root: Path
    bring: Callable[[Path], None] = _nowhere

    def folder(self, key: str) -> Path:
        """Where the split of that key stands, or will stand."""
        folder = self.root / f"sha256-{key}"
        self.bring(folder)
        return folder

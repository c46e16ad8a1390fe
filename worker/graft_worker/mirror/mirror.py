"""A folder of this machine and its copy below a prefix of a bucket, path for path.

The folder is the one that programs work in. Without a bucket it is the store itself.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .bucket import Bucket
from .failures import Absent, Damaged

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """The folder `store` and the bucket behind it; everything is a no-op without one.

    Methods raise StoreError with the address of the object in question.
    """

    store: Path
    bucket: Bucket | None = None

    @classmethod
    def of(cls, store: Path, uri: str) -> Self:
        """The folder with its copy at the s3:// prefix; an empty one means none."""
        return cls(store=store, bucket=Bucket(uri) if uri else None)

    def key(self, path: Path) -> str:
        """Where the path's copy stands below the prefix."""
        return path.relative_to(self.store).as_posix()

    def name(self, path: Path) -> str:
        """The path as any machine of the job can use it: relative to its store if it is inside."""
        here, store = path.absolute(), self.store.absolute()
        return str(here.relative_to(store) if here.is_relative_to(store) else here)

    def address(self, path: Path) -> str:
        """How others find what stands at the path."""
        return self.bucket.address(self.key(path)) if self.bucket else str(path)

    def put(self, *paths: Path) -> None:
        """The files have copies in this order; one that does not exist is left out."""
        for path in paths:
            if self.bucket and path.is_file():
                # Read first: some of them grow meanwhile.
                self.bucket.write(path.read_bytes(), self.key(path))

    def put_folder(self, folder: Path, *, last: str = "") -> None:
        """The folder has a copy; the file `last`, by which others know it as whole, goes last.

        A copy of the same content is left as it is.
        """
        if self.bucket is None:
            return
        files = _files(folder)
        names = sorted(files, key=lambda name: (name == last, name))
        if last and self._has(folder, files, last):
            return
        for name in names:
            self.bucket.put(files[name], f"{self.key(folder)}/{name}")

    def get(self, *paths: Path) -> None:
        """The files are as their copies; those without one stay as they are."""
        for path in paths if self.bucket else ():
            with suppress(Absent):
                self._fetched(path)

    def get_folder(self, folder: Path, *, last: str = "") -> None:
        """The folder is here if it has a whole copy; one that is here stays as it is.

        A damaged copy loses its last file, so that the folder is made and sent anew.
        """
        if self.bucket is None or folder.exists():
            return
        names = [item.key for item in self.bucket.listed(self.key(folder))]
        if not names or (last and last not in names):
            return
        try:
            self._fetch(folder, names)
        except Damaged as error:
            if not last:
                raise
            log.warning("%s", error.message)
            self.bucket.remove(f"{self.key(folder)}/{last}")

    def _has(self, folder: Path, files: dict[str, Path], last: str) -> bool:
        assert self.bucket
        key = self.key(folder)
        there = {item.key: item.size for item in self.bucket.listed(key)}
        sizes = {name: path.stat().st_size for name, path in files.items()}
        same = sizes.items() <= there.items()
        return same and self.bucket.read(f"{key}/{last}") == files[last].read_bytes()

    def _fetched(self, path: Path) -> None:
        assert self.bucket
        beside = _beside(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.bucket.get(self.key(path), beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def _fetch(self, folder: Path, names: Iterable[str]) -> None:
        assert self.bucket
        beside = _beside(folder)
        beside.mkdir(parents=True)
        try:
            for name in names:
                (beside / name).parent.mkdir(parents=True, exist_ok=True)
                self.bucket.get(f"{self.key(folder)}/{name}", beside / name)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _files(folder: Path) -> dict[str, Path]:
    """The visible files by their path in the folder."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    visible = (name for name in found if not any(part.startswith(".") for part in name.parts))
    return {name.as_posix(): found[name] for name in visible}


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")

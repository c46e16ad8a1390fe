"""One s3:// prefix as a place for objects, which appear there whole or not at all.

Endpoint, region and keys come from the standard AWS_ variables of the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .failures import told

SCHEME = "s3://"
# A lost connection is noticed and tried again long before anybody waits for this process in vain.
CONNECTION: Mapping[str, Any] = {"connect_timeout": 10, "read_timeout": 60}
ATTEMPTS = "AWS_MAX_ATTEMPTS"
PATIENT = 8  # attempts, some forty seconds in all, where the environment does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object: its key below the prefix that was listed, bytes, and when it was written."""

    key: str
    size: int
    written: datetime


class Bucket:
    """The objects below one prefix. Every method raises StoreError with the object's address."""

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        self._name, _, self._prefix = self.uri.removeprefix(SCHEME).partition("/")
        with told(self.uri):
            import s3fs

            # Other pods write here, too: nothing that was listed before is remembered.
            self._files = s3fs.S3FileSystem(
                config_kwargs={**CONNECTION, "retries": _retries()},
                use_listings_cache=False,
                skip_instance_cache=True,
            )

    def address(self, key: str) -> str:
        """The full address of a key."""
        return f"{self.uri}/{key}" if key else self.uri

    def listed(self, key: str) -> tuple[Item, ...]:
        """Everything below a key, by name; nothing where there is nothing.

        Keys that would lead out of a folder, or that stand for one, are no objects of ours.
        """
        below = f"{self._path(key)}/".lstrip("/")
        with told(self.address(key)):
            found = tuple(_item(one, below) for one in self._pages(below))
        return tuple(item for item in found if _names_a_file(item.key))

    def put(self, path: Path, key: str) -> None:
        """The object has the file's content."""
        with told(self.address(key)):
            self._files.put_file(str(path), f"{self._name}/{self._path(key)}")

    def write(self, data: bytes, key: str) -> None:
        """The object has this content; for files that others go on writing to."""
        with told(self.address(key)):
            self._files.pipe_file(f"{self._name}/{self._path(key)}", data)

    def get(self, key: str, path: Path) -> None:
        """The file has the object's content; it may be half written when this raises."""
        with told(self.address(key)):
            self._files.get_file(f"{self._name}/{self._path(key)}", str(path))

    def read(self, key: str) -> bytes:
        """The content of a small object."""
        with told(self.address(key)):
            data: bytes = self._files.cat_file(f"{self._name}/{self._path(key)}")
            return data

    def remove(self, key: str) -> None:
        """The object is gone, whether it was there or not."""
        with told(self.address(key)):
            self._files.call_s3("delete_object", Bucket=self._name, Key=self._path(key))

    def _path(self, key: str) -> str:
        return "/".join(part for part in (self._prefix, key) if part)

    def _pages(self, below: str) -> Iterator[Mapping[str, Any]]:
        # `find` of s3fs takes a bucket that is not there for an empty one.
        more: dict[str, str] = {}
        while True:
            page = self._files.call_s3("list_objects_v2", Bucket=self._name, Prefix=below, **more)
            yield from page.get("Contents", ())
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}


def _retries() -> dict[str, Any]:
    return {"mode": "standard", "max_attempts": int(os.environ.get(ATTEMPTS) or PATIENT)}


def _item(found: Mapping[str, Any], below: str) -> Item:
    return Item(
        key=found["Key"].removeprefix(below), size=found["Size"], written=found["LastModified"]
    )


def _names_a_file(key: str) -> bool:
    return all(part not in ("", ".", "..") for part in key.split("/"))

"""The last file of a checkpoint: what the folder holds, to the bit. Without it there is none."""

from __future__ import annotations

import errno
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file: its size in bytes and the hexadecimal SHA-256 of its content."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything that a whole folder holds besides this file. `time` is RFC 3339, in UTC."""

    step: int
    time: str
    torch: str
    files: dict[str, Entry]
    format: int = FORMAT

    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    def to_json(self) -> bytes:
        """The text of the file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a folder.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged, or of a format that this version does not know.
        """
        data = json.loads((folder / NAME).read_bytes())
        try:
            files = {name: Entry(**entry) for name, entry in data.pop("files").items()}
            manifest = cls(files=files, **data)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not a manifest: {error}") from None
        if manifest.format != FORMAT:
            raise ValueError(f"format {manifest.format}, this version reads {FORMAT}")
        return manifest


def fault(folder: Path, *, step: int) -> str:
    """What is wrong with the folder of that step, or "". Reads and hashes every file.

    Raises:
        OSError: it cannot be read for a reason that is no damage, such as missing rights.
    """
    try:
        manifest = Manifest.read(folder)
        if manifest.step != step:
            return f"{NAME}: is of step {manifest.step}"
        found = {path.name: path for path in folder.iterdir()}
        return next(filter(None, (_damage(found, *item) for item in manifest.files.items())), "")
    except (FileNotFoundError, NotADirectoryError):
        return f"{NAME}: missing"
    except ValueError as error:
        return f"{NAME}: {error}"
    except OSError as error:
        if error.errno == errno.EIO:  # a dead sector
            return f"{error.filename or folder}: {error.strerror}"
        raise


def _damage(found: dict[str, Path], name: str, entry: Entry) -> str:
    if name not in found:
        return f"{name}: missing"
    if (size := found[name].stat().st_size) != entry.size:
        return f"{name}: {size} bytes instead of {entry.size}"
    with found[name].open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
            return f"{name}: its SHA-256 differs from the manifest's"
    return ""

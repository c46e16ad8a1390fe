"""How many rows of a split repeat and how many stand in another, in memory of a fixed size.

Of every row there are 8 bytes of a hash. So many that they are no longer held in memory go to a
file without a name. They are counted range by range of the hash, each of which fits again.
"""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from graft_api.errors import StoreError

LIMIT = 1 << 21  # hashes held and counted at once: 16 MiB

Hashes = NDArray[np.uint64]


class Digests:
    """The hashes of a split's rows. Close them: many stand in a file."""

    __slots__ = ("_file", "_held", "_limit", "rows")

    def __init__(self, *, limit: int = LIMIT) -> None:
        self.rows, self._limit = 0, limit
        self._held = array("Q")
        self._file: BinaryIO | None = None

    def add(self, data: bytes) -> None:
        """Takes one row.

        Raises:
            StoreError: many rows, and the folder for temporary files cannot be written.
        """
        digest = hashlib.blake2b(data, digest_size=8).digest()
        self._held.append(int.from_bytes(digest, "little"))
        self.rows += 1
        if len(self._held) >= self._limit:
            self._spill()

    def repeated(self) -> int:
        """Rows that an earlier one equals."""
        return self.rows - sum(len(part) for part in self._parts())

    def found_in(self, other: Digests) -> int:
        """Rows that equal one of the other split."""
        found = 0
        for number, theirs in enumerate(other._parts()):
            for block in self._blocks():
                mine = _of_range(block, number, other._bits())
                found += int(np.isin(mine, theirs).sum())
        return found

    def close(self) -> None:
        """Gives the file back; nothing can be asked afterwards."""
        if self._file is not None:
            self._file.close()

    def _bits(self) -> int:
        """So many leading bits of the hash that the rows that share them fit."""
        return (-(-self.rows // self._limit) - 1).bit_length() if self.rows else 0

    def _parts(self) -> Iterator[Hashes]:
        """The different hashes, range by range."""
        bits = self._bits()
        for number in range(1 << bits):
            part = np.empty(0, np.uint64)
            for block in self._blocks():
                part = _different(np.concatenate([part, _of_range(block, number, bits)]))
            yield part

    def _blocks(self) -> Iterator[Hashes]:
        """All hashes, in portions that fit."""
        if self._file is not None:
            self._file.seek(0)
            while block := self._file.read(8 * self._limit):
                yield np.frombuffer(block, np.uint64)
        yield np.frombuffer(self._held, np.uint64) if self._held else np.empty(0, np.uint64)

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (see `close`)
            self._held.tofile(self._file)
        except OSError as error:
            raise StoreError(
                f"{tempfile.gettempdir()}: cannot note the {self.rows:,} rows read so far:"
                f" {error.strerror or error}",
                hint="free space there (8 bytes a row), or set TMPDIR to another folder",
            ) from None
        self._held = array("Q")


def _different(hashes: Hashes) -> Hashes:
    hashes.sort()
    first = np.ones(len(hashes), np.bool_)
    np.not_equal(hashes[1:], hashes[:-1], out=first[1:])
    found: Hashes = hashes[first]
    return found


def _of_range(block: Hashes, number: int, bits: int) -> Hashes:
    if not bits:
        return block
    found: Hashes = block[block >> np.uint64(64 - bits) == number]
    return found

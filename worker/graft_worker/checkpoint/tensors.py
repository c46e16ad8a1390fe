"""Tensors in safetensors files: written in one pass that also hashes, read by memory mapping.

The library's own writer holds the interpreter's lock until all bytes are written, which would stop
training; ours releases it between pieces, and a full disk stays an OSError with its number.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from .manifest import Entry

SPLIT = 10**9  # bytes of tensors in one file; a larger tensor has a file of its own
PIECE = 16 * 2**20

NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write(folder: Path, tensors: Mapping[str, Tensor], *, split: int = SPLIT) -> dict[str, Entry]:
    """The files that now hold the tensors, flushed to the disk. Tensors are on the CPU, contiguous.

    Raises:
        OSError: a file cannot be written; part of it may stand there.
    """
    groups = list(_groups(tensors, split))
    return {
        (name := _name(i, len(groups))): write_file(folder / name, _pieces(group))
        for i, group in enumerate(groups)
    }


def read(paths: Iterable[Path]) -> dict[str, Tensor]:
    """All tensors of the files, mapped from disk copy-on-write: pages are read when touched."""
    tensors: dict[str, Tensor] = {}
    for path in paths:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return tensors


def write_file(path: Path, pieces: Iterable[bytes | memoryview]) -> Entry:
    """Size and hash of the new file that holds the pieces, flushed to the disk.

    Raises:
        OSError: it cannot be written.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return Entry(size=size, sha256=digest.hexdigest())


def _name(index: int, count: int) -> str:
    if count == 1:
        return "state.safetensors"
    return f"state-{index + 1:05d}-of-{count:05d}.safetensors"


def _groups(tensors: Mapping[str, Tensor], split: int) -> Iterator[dict[str, Tensor]]:
    # Widest elements first: then every tensor begins at a multiple of its element's size.
    group: dict[str, Tensor] = {}
    size = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0])):
        if group and size + tensor.nbytes > split:
            yield group
            group, size = {}, 0
        group[name] = tensor
        size += tensor.nbytes
    yield group


def _pieces(tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    yield _header(tensors)
    for tensor in tensors.values():
        content = tensor.reshape(-1).view(torch.uint8).numpy().data
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]


def _header(tensors: Mapping[str, Tensor]) -> bytes:
    entries, end = {}, 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.nbytes
        entries[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text

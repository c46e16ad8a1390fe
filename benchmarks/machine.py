"""Where a result was measured: versions, processor, load, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import psutil

LIBRARIES = (
    "torch",
    "transformers",
    "accelerate",
    "tokenizers",
    "numpy",
    "safetensors",
    "datasets",
    "sentence-transformers",
    "fastapi",
    "uvicorn",
    "granian",
    "onnxruntime",
)
LSCPU = ("Model name", "CPU(s)", "Thread(s) per core", "L2 cache", "L3 cache")
NVIDIA = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
FEATURES = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile", "amx_bf16")


def versions() -> Mapping[str, str]:
    """Python and every library that takes part."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def describe() -> Mapping[str, str]:
    """The processor as lscpu tells it, the vector units that matter, the memory."""
    pairs = (line.partition(":") for line in _output("lscpu").splitlines())
    lines = {name.strip(): value.strip() for name, _, value in pairs}
    flags = set(lines.get("Flags", "").split())
    told = {name: lines[name] for name in LSCPU if name in lines}
    told["features"] = " ".join(name for name in FEATURES if name in flags)
    told["memory"] = f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    told["GPU"] = _output("nvidia-smi", *NVIDIA).strip()
    return told


def load() -> tuple[float, ...]:
    """The load averages of the last 1, 5 and 15 minutes."""
    return tuple(round(value, 2) for value in os.getloadavg())


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))


def commit(root: Path) -> str:
    """The commit of the tree, with a plus where files differ from it."""
    name = _output("git", "-C", str(root), "rev-parse", "--short", "HEAD").strip() or "none"
    dirty = _output("git", "-C", str(root), "status", "--porcelain").strip()
    return f"{name}+" if dirty else name


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""

"""Where compiled code is kept, so that the next attempt of a job finds it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

import torch

INDUCTOR, TRITON = "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"
WORKER, PROCESS = "GROUP_RANK", "LOCAL_RANK"  # by torchrun: of the gang, and of this worker
HEADER = struct.Struct("<4s36xQ10xHH2x")  # of ELF, 64 bits: mark, then where its last table is


def folders(root: Path, machine: str, environ: Mapping[str, str]) -> dict[str, Path]:
    """What to set in the environment before anything is compiled; nothing where the user has.

    A folder is for one version of torch and one kind of machine. Each process of a gang has its
    own: torch's locks and the names of its temporary files are those of one machine, and nobody
    else writes while this process looks for what is not whole.
    """
    # Imported here, for those alone who compile.
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir

    # torch names its usual folder there itself, as soon as some of it is imported.
    if environ.get(INDUCTOR, default_cache_dir()) != default_cache_dir():
        return {}  # torch keeps what is Triton's below it
    name = f"process-{environ.get(WORKER, 0)}-{environ.get(PROCESS, 0)}"
    own = root / _word(f"torch-{torch.__version__}-{machine}") / name
    found = {INDUCTOR: own / "inductor"}
    return found if TRITON in environ else found | {TRITON: own / "triton"}


def machine(device: torch.device) -> str:
    """The kind of device in words, and of the processor: code for it uses all that it can do."""
    able = json.dumps(dict(torch.cpu.get_capabilities()), sort_keys=True, default=str)
    digest = hashlib.sha256(able.encode()).hexdigest()[:8]
    processor = f"{torch.backends.cpu.get_cpu_capability()}-{digest}"
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return f"{card}-{processor}"


def use(kept: Mapping[str, Path], environ: MutableMapping[str, str]) -> None:
    """Compiling happens in these folders, and what is whole in them is loaded.

    Half a library, as a node leaves it that dies meanwhile, would end every process that loads it.
    Headers are compiled ahead onto this machine's own disk. Where an earlier attempt has left
    code, that would be most of what there is to wait for, and hardly anything would use it.
    """
    environ.update({name: str(folder) for name, folder in kept.items()})
    if any(folder.is_dir() for folder in kept.values()):
        import torch._inductor.config as inductor  # for those alone who compile

        inductor.cpp_cache_precompile_headers = False
    for library in (path for folder in kept.values() for path in folder.rglob("*.so")):
        if not _whole(library):
            library.unlink()


def _whole(library: Path) -> bool:
    """Whether it reaches to the end of its last table, which linkers write at the end."""
    with library.open("rb") as file:
        head = file.read(HEADER.size)
    if len(head) < HEADER.size:
        return False
    mark, table, each, entries = HEADER.unpack(head)
    return bool(mark == b"\x7fELF" and library.stat().st_size >= table + each * entries)


def drop(kept: Iterable[Path]) -> None:
    """The folders are gone: the next attempt compiles anew."""
    for folder in kept:
        shutil.rmtree(folder, ignore_errors=True)


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+]+", "-", text)

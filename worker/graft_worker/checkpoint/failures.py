"""What a person reads when a checkpoint could not be written."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from graft_api.errors import StoreError

REMEDIES = {
    errno.ENOSPC: "free space there or give the job a store on a larger disk",
    errno.EDQUOT: "the quota is used up: remove what is not needed or ask for a larger one",
    errno.EROFS: "it is mounted read-only: mount it for writing or give the job another store",
    errno.EACCES: "let user id {uid} write there or give the job another store",
    errno.EPERM: "let user id {uid} write there or give the job another store",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """A save that failed: where, which step, its size, and the step that is whole on disk."""

    root: Path
    step: int
    bytes: int
    intact: int | None


def explained(error: OSError, *, save: Attempted) -> StoreError:
    """The error with place, bytes needed and free, what is still safe and what to do."""
    place = error.filename or save.root
    return StoreError(
        f"{place}: the checkpoint of step {save.step} could not be written: "
        f"{error.strerror or error} ({save.bytes:,} bytes needed{_free(save.root)})",
        hint=f"{_intact(save.intact)}; {_remedy(error)}, then run the same job again",
    )


def _free(root: Path) -> str:
    with suppress(OSError):
        existing = next(path for path in (root, *root.parents) if path.exists())
        return f", {shutil.disk_usage(existing).free:,} free"
    return ""


def _intact(step: int | None) -> str:
    if step is None:
        return "no earlier checkpoint is there"
    return f"the checkpoint of step {step} is intact"


def _remedy(error: OSError) -> str:
    remedy = REMEDIES.get(error.errno or 0, "check the disk or the network storage behind it")
    return remedy.format(uid=os.geteuid())

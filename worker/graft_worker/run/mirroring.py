"""What each stage brings from the store's bucket, and what it sends there.

Where the store is a folder nothing of this happens.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from graft_api.errors import GraftError, StoreError
from graft_api.vocabulary import Env, StoreFile
from graft_worker.config import Settings, read_settings
from graft_worker.data.prepared import Prepared
from graft_worker.data.shard_writer import MANIFEST
from graft_worker.mirror.mirror import Mirror

if TYPE_CHECKING:
    from graft_worker.checkpoint.mirrored import MirroredCheckpoints
    from graft_worker.checkpoint.store import Checkpoints

log = logging.getLogger(__name__)


def of(settings: Settings) -> Mirror:
    """The mirror of the job's store."""
    return Mirror.of(settings.store, settings.store_uri)


def announce(mirror: Mirror, settings: Settings) -> None:
    """The bucket has the resolved job: it can be written, or the job ends before it works.

    Raises:
        StoreError: it cannot.
    """
    if mirror.bucket:
        text = settings.job.model_dump_json(by_alias=True, exclude_none=True, indent=1)
        mirror.bucket.write(text.encode(), mirror.key(settings.job_dir / StoreFile.JOB))


def send_prepared(mirror: Mirror, settings: Settings, prepared: Prepared) -> None:
    """The bucket has what the prepare stage made, prepared.json last."""
    for shards in prepared.shards():
        mirror.put_folder(settings.store / shards, last=MANIFEST)
    for folder in _folders(settings, prepared):
        mirror.put_folder(folder)
    mirror.put(settings.job_dir / StoreFile.PREPARED)


def bring(environ: Mapping[str, str]) -> None:
    """This machine has what training needs: shards, model, tokenizer and the newest checkpoint.

    That checkpoint is only fetched ahead: which one is taken is rank 0's to say.

    Raises:
        StoreError: it cannot be had.
    """
    settings = read_settings(environ)
    mirror, path = of(settings), settings.job_dir / StoreFile.PREPARED
    mirror.get(path)
    _check(mirror, path)
    prepared = Prepared.read(path)
    for shards in prepared.shards():
        folder = settings.store / shards
        mirror.get_folder(folder, last=MANIFEST)
        _check(mirror, folder)
    for folder in _folders(settings, prepared):
        mirror.get_folder(folder)
        _check(mirror, folder)
    checkpoints(settings, mirror).newest()


def checkpoints(settings: Settings, mirror: Mirror) -> Checkpoints | MirroredCheckpoints:
    """Where the state is saved: in the job's folder, or in the bucket."""
    from graft_worker.checkpoint.copies import Copies  # these need torch, the prepare stage not
    from graft_worker.checkpoint.mirrored import MirroredCheckpoints
    from graft_worker.checkpoint.store import Checkpoints

    root, keep = settings.job_dir / StoreFile.CHECKPOINTS, settings.job.spec.checkpoint.keep
    if mirror.bucket is None:
        return Checkpoints(root, keep=keep)
    copies = Copies(mirror.bucket, mirror.key(root))
    sent = partial(send_reports, mirror, settings)
    return MirroredCheckpoints(root, copies, keep=keep, sent=sent)


def bring_reports(mirror: Mirror, settings: Settings) -> None:
    """Rank 0 goes on writing the curve where the one before it has left it."""
    mirror.get(*_reports(settings))


def send_reports(mirror: Mirror, settings: Settings) -> None:
    """The bucket has the curve so far, if it can be written."""
    try:
        mirror.put(*_reports(settings))
    except StoreError as error:  # what is only looked at stops nothing
        log.warning("the curve cannot be copied: %s", error)


def send_logs(environ: Mapping[str, str]) -> None:
    """The bucket has what stands in the job's logs, such as stacks, if it can be written."""
    if not environ.get(Env.STORE_URI):
        return
    try:
        settings = read_settings(environ)
        of(settings).put_folder(settings.job_dir / StoreFile.LOGS)
    except GraftError as error:
        log.warning("the logs cannot be copied: %s", error)


def _check(mirror: Mirror, path: Path) -> None:
    if not path.exists():
        raise StoreError(
            f"{mirror.address(path)}: not whole: somebody removed or damaged what was prepared",
            hint="submit the job under another name: its data is prepared anew",
        )


def _reports(settings: Settings) -> tuple[Path, ...]:
    return tuple(settings.job_dir / name for name in (StoreFile.METRICS, StoreFile.PROGRESS))


def _folders(settings: Settings, prepared: Prepared) -> list[Path]:
    """Folders of model and tokenizer in the store; others are part of the image or mounted."""
    named = {Path(prepared.model), Path(prepared.tokenizer)}
    if prepared.teacher:
        named.add(Path(prepared.teacher.model))
    return sorted(settings.store / folder for folder in named if not folder.is_absolute())

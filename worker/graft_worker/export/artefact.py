"""Artefacts: published as a whole or not at all, under a name that is their content's digest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft_api.errors import StoreError
from graft_worker.data.prepared import Problem
from graft_worker.export import manifest
from graft_worker.export.card import card, results_json
from graft_worker.export.contents import Contents
from graft_worker.export.golden import golden_text
from graft_worker.export.tokenizer_files import tokenizer_config, tokenizer_text

FORMAT = 1
FOLDER = "artefacts"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where an artefact is, its digest `sha256:...`, and the size of its files in bytes."""

    uri: Path
    digest: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A verified artefact. Encoder and head are read from `folder` by the models' own loaders."""

    folder: Path
    digest: str
    app: str  # empty where the model is none of an app's
    variant: str
    params: Mapping[str, Any]
    problem: Problem | None
    labels: tuple[str, ...]
    columns: Mapping[str, str]  # role -> column of the training file
    max_length: int

    @property
    def tokenizer(self) -> Path:
        """The path of tokenizer.json."""
        return self.folder / TOKENIZER


def publish(store: Path, contents: Contents) -> Published:
    """The artefact under `<store>/artefacts/sha256-<hex>`: made, or reused where it stands.

    Files are written and synced in a folder beside, the manifest last; then the folder is renamed.

    Raises:
        StoreError: the store cannot be written; nothing of the artefact is left there.
    """
    root, owner = store / FOLDER, contents.owner or contents.job
    with _errors_of(store, contents):
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob(f".{owner}.partial-*"):  # of an attempt that was killed
            shutil.rmtree(left)
        partial = _new_folder(root, owner)
        try:
            _write(partial, contents)
            return _settle(partial, root)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def verify(folder: Path) -> str:
    """The digest of an artefact of which every file is whole.

    Raises:
        StoreError: no artefact stands there, or a file is missing or damaged; it is named.
    """
    return manifest.verify(folder).digest()


def load(folder: Path) -> Artefact:
    """A verified artefact, ready to be read.

    Raises:
        StoreError: as `verify`; or it is no artefact of ours; or of a newer Graft.
    """
    digest = verify(folder)
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    told = config.get("graft") if isinstance(config, dict) else None
    if not isinstance(told, dict):
        raise StoreError(
            f"{folder / CONFIG}: has no key graft: not the artefact of a Graft job",
            hint="give the folder that the job printed, <store>/artefacts/sha256-...",
        )
    if told["version"] > FORMAT:
        raise StoreError(
            f"{folder}: written by a newer Graft (format {told['version']}, this knows {FORMAT})",
            hint="use the Graft that made it, or a newer one",
        )
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return Artefact(
        folder=folder,
        digest=digest,
        app=told["app"],
        variant=told["variant"],
        params=told["params"],
        problem=told["problem"],
        labels=tuple(labels),
        columns=told["columns"],
        max_length=told["maxLength"],
    )


def _new_folder(root: Path, owner: str) -> Path:
    number = 1
    while True:
        folder = root / f".{owner}.partial-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def _write(folder: Path, contents: Contents) -> None:
    from safetensors.torch import save_file

    tensors = {name: t.detach().cpu().contiguous() for name, t in contents.weights.items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    _sync(folder / WEIGHTS)
    for name, text in _texts(contents):
        _write_text(folder / name, text)
    _write_text(folder / manifest.NAME, manifest.describe(folder).text())
    _sync(folder)


def _texts(contents: Contents) -> Iterator[tuple[str, str]]:
    settings = tokenizer_config(
        contents.tokenizer, config=contents.config, max_length=contents.max_length
    )
    yield CONFIG, _json(_config(contents))
    yield TOKENIZER, tokenizer_text(contents.tokenizer)
    yield "tokenizer_config.json", _json(settings)
    yield "labels.json", _json(list(contents.labels))
    yield "metrics.json", results_json(contents.results)
    yield "model_card.md", card(contents)
    yield "golden.jsonl", golden_text(contents.golden)
    yield "profile.json", _json(contents.profile)


def _config(contents: Contents) -> dict[str, Any]:
    told = {
        "version": FORMAT,
        "app": contents.app,
        "variant": contents.variant,
        "params": dict(contents.params),
        "problem": contents.problem,
        "columns": dict(contents.columns),
        "maxLength": contents.max_length,
    }
    return {**contents.config, "graft": told}


def _settle(partial: Path, root: Path) -> Published:
    """The folder under its digest; one that stands there already and is whole is kept instead."""
    made = manifest.read(partial)
    final = root / made.digest().replace(":", "-")
    if final.exists() and not _is_whole(final):
        aside = partial.with_name(f"{partial.name}-damaged")
        final.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    if not final.exists():
        partial.rename(final)
        _sync(root)
    return Published(uri=final, digest=made.digest(), bytes=made.bytes())


def _is_whole(folder: Path) -> bool:
    try:
        verify(folder)
    except StoreError:
        return False
    return True


@contextmanager
def _errors_of(store: Path, contents: Contents) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        size = sum(t.numel() * t.element_size() for t in contents.weights.values())
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"{store}: the artefact cannot be written: {reason}",
            hint=f"it needs {size / 2**20 + 2:.0f} MiB and a folder that may be written; "
            "then run the same job again, it goes on from its last checkpoint",
        ) from None


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    _sync(path)


def _sync(path: Path) -> None:
    """Has the file's content, or the folder's entries, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

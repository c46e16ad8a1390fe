"""What a server is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]

MOST_TOKENS = 16_384  # cap of a batch's measured budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be computed together, and what may wait. Bounds the memory that requests take."""

    max_batch: int = 32  # texts of a batch
    max_tokens: int | None = None  # slots of a batch, padding included; None: measured
    max_queue: int = 256  # texts that wait
    timeout: float = 1.0  # seconds until a request is given up
    in_flight: int = 512  # requests that are read, wait or are answered
    body: int = 2_000_000  # bytes of a request
    bodies: int = 64_000_000  # bytes of all requests in flight, as they declare them
    body_seconds: float = 5.0  # until a body is there
    header_seconds: float = 5.0  # until the headers are there


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a server ends when it is told to."""

    linger: float = 0.0  # seconds of new requests after SIGTERM, until endpoints have learnt of it
    drain: float = 20.0  # seconds for what was accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Which artefact is served, where and how."""

    artefact: Path
    name: str = ""  # of the model in paths and metrics; default: its app's
    host: str = "127.0.0.1"
    port: int = 8000  # 0: any free port
    metrics_port: int = 0
    precision: Precision = "auto"
    limits: Limits = field(default_factory=Limits)
    ending: Ending = field(default_factory=Ending)
    stay: bool = False  # with a model that cannot be served: say so on every path, do not end

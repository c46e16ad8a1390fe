"""The arguments of `graft serve` and of `python -m graft_worker.serve`."""

from __future__ import annotations

import argparse
from pathlib import Path

from graft_worker.serve.settings import Ending, Limits, Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What both programs take."""
    usual, limits = Settings(artefact=Path()), Limits()
    parser.add_argument("artefact", metavar="ARTEFACT", help="folder of a published model")
    parser.add_argument("--name", default="", help="name in paths (default: that of its app)")
    parser.add_argument(
        "--host", default=usual.host, help=f"address to listen on (default: {usual.host})"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=usual.port,
        help=f"port of predictions, 0 for any free one (default: {usual.port})",
    )
    parser.add_argument(
        "--metrics-port", type=_port, default=0, help="port of /metrics (default: any free one)"
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default=usual.precision,
        help="number format (default: bf16 where it is faster here and answers alike, else fp32)",
    )
    parser.add_argument(
        "--max-batch",
        type=_count,
        default=limits.max_batch,
        metavar="N",
        help=f"most texts of a batch (default: {limits.max_batch})",
    )
    parser.add_argument(
        "--max-tokens",
        type=_count,
        metavar="N",
        help="most tokens of a batch, padding included (default: measured at the start)",
    )
    parser.add_argument(
        "--max-queue",
        type=_count,
        default=limits.max_queue,
        metavar="N",
        help=f"texts that may wait; more are refused with 503 (default: {limits.max_queue})",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=limits.timeout,
        metavar="SECONDS",
        help=f"until a request is given up with 504 (default: {limits.timeout:g})",
    )


def settings(arguments: argparse.Namespace, *, artefact: Path, ending: Ending) -> Settings:
    """What the arguments say."""
    return Settings(
        artefact=artefact,
        name=arguments.name,
        host=arguments.host,
        port=arguments.port,
        metrics_port=arguments.metrics_port,
        precision=arguments.precision,
        limits=Limits(
            max_batch=arguments.max_batch,
            max_tokens=arguments.max_tokens,
            max_queue=arguments.max_queue,
            timeout=arguments.timeout,
        ),
        ending=ending,
    )


def _port(text: str) -> int:
    if text.isdigit() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: expected a port, 0 to 65535")


def _count(text: str) -> int:
    if text.isdigit() and 0 < int(text) <= 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1 to 1,000,000")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0 < value <= 3600:
        return value
    raise argparse.ArgumentTypeError(f"{text!r}: expected seconds, more than 0 and at most 3600")

"""Results on stdout, as YAML or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any


def add_argument(
    parser: argparse.ArgumentParser,
    *,
    default: str = "yaml",
    forms: Sequence[str] = ("yaml", "json"),
) -> None:
    """The argument `-o`."""
    parser.add_argument(
        "-o",
        "--output",
        choices=forms,
        default=default,
        help=f"form of the result on stdout (default: {default})",
    )


def write(value: Any, *, form: str) -> None:
    """Prints plain data; control characters in it are escaped by either form."""
    if form == "json":
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        return
    import yaml

    yaml.safe_dump(value, sys.stdout, sort_keys=False, allow_unicode=True, width=120)

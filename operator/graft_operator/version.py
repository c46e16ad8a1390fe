"""The version that is running."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("graft-operator")
except PackageNotFoundError:  # from a source tree that is not installed
    VERSION = "0"

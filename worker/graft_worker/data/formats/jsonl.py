"""JSON Lines: one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from graft_api.errors import DataError
from graft_worker.data import lines
from graft_worker.data.faults import Fault
from graft_worker.data.formats.options import Options
from graft_worker.data.rows import Row
from graft_worker.data.sources import Source


def read(source: Source, options: Options) -> Iterator[Row]:
    """Rows of the objects; blank lines are skipped, other values are reported.

    Raises:
        DataError: the file is one JSON array, or no text.
    """
    for number, line in lines.read(source, options.report):
        if not line or line.isspace():
            continue
        if number == 1 and line.lstrip().startswith("["):
            raise DataError(
                f"{source.name}: is a JSON array, not JSON Lines",
                hint="write one object per line: jq -c '.[]' OLD > NEW",
            )
        value = _parsed(source, number, line, options)
        if value is not None:
            yield Row(value, source.name, number)


def _parsed(source: Source, number: int, line: str, options: Options) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except RecursionError:
        options.report(Fault(source.name, number, "not JSON", "nested too deeply"))
        return None
    except ValueError as error:
        options.report(Fault(source.name, number, "not JSON", _reason(line, error)))
        return None
    if not isinstance(value, dict):
        detail = f"found {type(value).__name__}"
        options.report(Fault(source.name, number, "not a JSON object", detail))
        return None
    return value


def _reason(line: str, error: ValueError) -> str:
    if line.rstrip().endswith("},"):
        return "a comma after the object; in JSON Lines nothing stands between lines"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return str(error)

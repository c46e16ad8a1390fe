"""golden.jsonl: examples with their logits, by which whoever loads the model can check it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from graft_worker.export.contents import Golden

# Another CPU, thread count or library rounds sums of some thousand products otherwise.
TOLERANCE = 1e-3
LIMIT = 8


def golden_text(rows: Iterable[Golden]) -> str:
    """One line per example, at most eight: inputs by role, logits, absolute tolerance."""
    return "".join(_line(row) for row in list(rows)[:LIMIT])


def _line(row: Golden) -> str:
    values = {
        "inputs": dict(row.inputs),
        "logits": [round(value, 6) for value in row.logits],
        "tolerance": TOLERANCE,
    }
    return json.dumps(values, ensure_ascii=False) + "\n"

"""The dashboards, by the name of their file."""

from __future__ import annotations

from .board_fleet import FLEET
from .board_job import JOB
from .board_operator import OPERATOR
from .panels import board_json


def boards() -> dict[str, str]:
    """The JSON of every dashboard by its name."""
    return {board.name: board_json(board) for board in (FLEET, JOB, OPERATOR)}

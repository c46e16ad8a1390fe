"""Several tasks share one encoder."""

from __future__ import annotations

from typing import Literal

from graft_api.rules import Part


class Multitask(Part):
    """Several tasks share one encoder."""

    sampling: Literal["proportional", "uniform", "annealed"] = "proportional"
    """How often each task is drawn; default by its size."""

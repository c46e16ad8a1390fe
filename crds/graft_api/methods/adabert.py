"""AdaBERT: a small convolutional student is searched for the task (IJCAI 2020)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from graft_api import scalars as s
from graft_api.rules import Part


class Adabert(Part):
    """A small convolutional student is searched for the task."""

    max_cells: Annotated[int, Field(ge=1, le=32)] = 8
    """Most cells that the search may stack; default 8."""
    embedding_size: Annotated[int, Field(ge=1, le=65536)] = 128
    """Width of the student's embeddings; default 128."""
    search_epochs: s.Count = 70
    """Epochs of the search; default 70."""
    gamma: s.Ratio = 0.8
    """Weight of the teacher's probes against the labels; default 0.8."""
    beta: s.Weight = 4.0
    """Weight of the cost of size and speed; default 4."""
    architecture_learning_rate: s.Positive = 3e-4
    """Learning rate of the architecture's parameters; default 0.0003."""

"""What a peer that resumes leaves on disk: notes of its steps, and checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FILE = "steps.jsonl"
# The Trainer writes these in turn; one that was killed meanwhile leaves some.
WHOLE = (
    "model.safetensors",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state_0.pth",
    "rng_state_1.pth",
    "trainer_state.json",
)


def newest(checkpoints: Iterable[Path]) -> str | None:
    """The newest checkpoint that is whole; None before the first."""
    found = [c for c in checkpoints if all((c / name).is_file() for name in WHOLE)]
    return str(max(found, key=lambda c: int(c.name.split("-")[1]))) if found else None

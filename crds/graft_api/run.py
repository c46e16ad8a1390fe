"""Checkpoints, output and how a job behaves as a citizen of its cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from . import scalars as s
from .rules import ATOMIC, Part, Rule, exactly_one, key


class CheckpointInterval(Part):
    """How often; exactly one."""

    minutes: s.Count | None = None
    """Minutes between two checkpoints."""
    steps: s.Count | None = None
    """Optimiser steps between two checkpoints."""

    rules = (exactly_one("minutes", "steps"),)
    schema_extra = ATOMIC


class Checkpoint(Part):
    """When the job saves its state."""

    every: CheckpointInterval | None = None
    """How often; absent: every 10 minutes."""
    keep: Annotated[int, Field(ge=1, le=100)] = 3
    """Newest checkpoints kept, the best one not counted; default 3."""
    on_signal: bool = True
    """Saves when the pod is asked to stop; default true."""

    mutable = ("every", "keep")


class Output(Part):
    """Where the artefact goes."""

    uri: s.Uri | None = None
    """Folder of the artefact; absent: the operator's store."""
    formats: Annotated[
        tuple[Literal["safetensors", "onnx"], ...], Field(min_length=1, max_length=2)
    ] = ("safetensors",)
    """Formats written; default safetensors."""


class Restarts(Part):
    """Restarts after failures; disruptions are free."""

    max: Annotated[int, Field(ge=0, le=100)] = 3
    """Restarts within the window before the job fails; default 3."""
    window: s.Duration = "1h"
    """Length of the sliding window; default 1h."""


def longer_only(name: str) -> Rule:
    """A new value of the duration is at least as long as the old one; auto is free."""
    new, old = s.cel_seconds(f"self.{key(name)}"), s.cel_seconds(f"oldSelf.{key(name)}")
    auto = f"self.{name} == 'auto' || oldSelf.{name} == 'auto' || " if name == "hang" else ""
    return Rule(f"{auto}{new} >= {old}", f"{key(name)} can only be made longer", at=key(name))


class Deadlines(Part):
    """Longest times; each can only be made longer."""

    queue: s.Duration = "1d"
    """From creation to admission by the queue; default 1d."""
    start: s.Duration = "30m"
    """From admission to the first step; default 30m."""
    active: s.Duration = "7d"
    """From the first step to the end, pauses not counted; default 7d."""
    node_lost: s.Duration = "2m"
    """From the loss of a node to the removal of its pods; default 2m."""
    hang: s.DurationOrAuto = "auto"
    """Without a step before the gang starts again; auto: five long steps, at least 2m."""

    rules = tuple(map(longer_only, ("queue", "start", "active", "node_lost", "hang")))


class Run(Part):
    """How the job runs as a citizen of the cluster."""

    suspend: bool = False
    """Saves a checkpoint, then releases the pods; default false."""
    queue: s.Key | None = None
    """Kueue local queue; absent: no queue."""
    priority_class_name: s.Key | None = None
    """Priority class of the pods; absent: the cluster's default."""
    restarts: Restarts = Field(default_factory=Restarts)
    """Restarts after failures."""
    deadlines: Deadlines = Field(default_factory=Deadlines)
    """Longest times."""
    ttl_after_finished: s.Duration = "7d"
    """From the end to the removal of the job; default 7d."""

    mutable = ("suspend", "deadlines", "ttl_after_finished")

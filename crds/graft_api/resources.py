"""What a pod or a process asks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from . import scalars as s
from .rules import Part


class Resources(Part):
    """What each pod asks for; requests equal limits."""

    cpu: s.Quantity = "1"
    """Cores of each pod; default 1. `graft run` uses all cores of the machine."""
    memory: s.Quantity = "4Gi"
    """Memory; default 4Gi."""
    gpu: Annotated[int, Field(ge=0, le=64)] = 0
    """Accelerators; default 0."""
    gpu_resource: Annotated[
        str, Field(max_length=253, pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")
    ] = "nvidia.com/gpu"
    """Resource name of the accelerators; default nvidia.com/gpu."""

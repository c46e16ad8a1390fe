"""Encoder of the feature-based methods."""

from __future__ import annotations

from typing import Literal

from graft_api.rules import Part


class FullyShared(Part):
    """Encoder of the feature-based methods."""

    encoder: Literal["model", "hcnn"] = "model"
    """Encoder that is shared: the pretrained model or HCNN."""

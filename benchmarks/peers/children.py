"""The children that every contestant makes, to the letter those of Graft's operator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from graft_operator.cluster import reading
from graft_operator.observed import Observed
from graft_operator.settings import Settings
from graft_operator.sync import sync

SETTINGS = Settings()


def children(body: Mapping[str, Any]) -> tuple[Any, Any]:
    """The NetworkPolicy and the prepare Job of a TransferJob."""
    subject = reading.subject(body, kind="TransferJob")
    seen = Observed(store_known=True)
    policy, job = sync(subject, seen, settings=SETTINGS, now=datetime.now(UTC)).create
    return policy, job

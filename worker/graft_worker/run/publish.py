"""From a finished training to an artefact, the copy that the job asks for, and the marker."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graft_api.progress import Termination
from graft_api.vocabulary import StoreFile
from graft_worker.export import artefact, manifest
from graft_worker.report import files, termination
from graft_worker.run import deliver

if TYPE_CHECKING:
    from graft_worker.config import Settings
    from graft_worker.export.artefact import Published
    from graft_worker.export.contents import Contents
    from graft_worker.mirror.mirror import Mirror
    from graft_worker.train.result import TrainingResult


def publish(
    settings: Settings,
    mirror: Mirror,
    contents: Contents,
    result: TrainingResult,
    *,
    comparison: Mapping[str, Any],
) -> Published:
    """The artefact of the job; its last words and the completion marker are written after it.

    Raises:
        StoreError: the artefact, or the folder of output.uri, cannot be written.
    """
    published = artefact.publish(settings.store, contents)
    if settings.job.spec.output.uri:
        deliver.deliver(published.uri, settings.job.spec.output.uri)
    _finish(settings, mirror, result, published, comparison)
    return published


def _final_metrics(result: TrainingResult) -> dict[str, float]:
    """The last loss and the metrics; what is not a number cannot be told in JSON."""
    told = ({} if result.loss is None else {"loss": result.loss}) | dict(result.metrics)
    return {name: value for name, value in told.items() if math.isfinite(value)}


def _finish(
    settings: Settings,
    mirror: Mirror,
    result: TrainingResult,
    published: Published,
    comparison: Mapping[str, Any],
) -> None:
    mirror.put_folder(published.uri, last=manifest.NAME)
    address = mirror.address(published.uri)
    last = Termination(
        state="Complete",
        step=result.step,
        message=f"trained {result.step} steps",
        artefact_uri=address,
        artefact_digest=published.digest,
        artefact_bytes=published.bytes,
        total_steps=result.total_steps,
        metrics=_final_metrics(result),
        comparison=dict(comparison),
        seconds={part: round(seconds, 3) for part, seconds in result.spent.items()},
    )
    if settings.termination_file is not None:
        termination.write(settings.termination_file, last)
    marker = {
        "artefact": {"uri": address, "digest": published.digest},
        "step": result.step,
        "metrics": dict(result.metrics),
        "testMetrics": dict(result.test_metrics),
        **({"comparison": dict(comparison)} if comparison else {}),
    }
    path = settings.job_dir / StoreFile.RESULT
    files.replace(path, json.dumps(marker, indent=1))
    mirror.put(path)

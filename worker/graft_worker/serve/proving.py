"""Whether a loaded model is the one that was published: its golden examples answer as they did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graft_api.errors import StoreError
from graft_worker.export.artefact import CONFIG, Artefact
from graft_worker.serve.engines import Engine, Floats
from graft_worker.serve.examples import Example, Reader

GOLDEN = "golden.jsonl"
_AGAIN = "publish the model again: run its job again, or copy the artefact from where it is whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """N published examples and what the published weights answered in fp32."""

    examples: tuple[Example, ...]
    logits: Floats  # [N, C]
    tolerance: float


def read_golden(artefact: Artefact, reader: Reader) -> Golden:
    """The golden examples of an artefact.

    Raises:
        StoreError: there are none, or they cannot be read.
    """
    path = artefact.folder / GOLDEN
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        texts = [_texts(line["inputs"], reader) for line in lines]
        logits = np.array([line["logits"] for line in lines], np.float32)
        tolerance = min(float(line["tolerance"]) for line in lines)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"{path}: no golden examples in it ({type(error).__name__}: {error}): "
            "nothing says whether the model answers as it did",
            hint=_AGAIN,
        ) from None
    return Golden(examples=tuple(reader.read(texts)), logits=logits, tolerance=tolerance)


def prove(engine: Engine, golden: Golden, artefact: Artefact) -> None:
    """Returns where the engine answers as the published model did, one by one and together.

    In int8 together only with numbers: it rounds by the largest of a batch, so that answers depend
    on who comes along.

    Raises:
        StoreError: an answer is another one, or no number.
    """
    alone = [engine.compute([example]).logits for example in golden.examples]
    _compare(np.concatenate(alone), golden, artefact.folder)
    together = engine.compute(golden.examples).logits
    if engine.dtype == "int8":
        _check_numbers(together, golden, artefact.folder)
    else:
        _compare(together, golden, artefact.folder)


def check_labels(artefact: Artefact) -> None:
    """Returns where the labels are those that the weights were published with, in their order.

    Raises:
        StoreError: labels.json and config.json differ.
    """
    config = json.loads((artefact.folder / CONFIG).read_text(encoding="utf-8"))
    named = config.get("id2label")
    if artefact.problem == "regression" or not isinstance(named, dict):
        return
    told = tuple(named.get(str(place)) for place in range(len(named)))
    if told != artefact.labels:
        raise StoreError(
            f"{artefact.folder / 'labels.json'}: has {_shown(artefact.labels)}, "
            f"but id2label of {CONFIG} has {_shown(told)}",
            hint=_AGAIN,
        )


def _texts(inputs: dict[str, str], reader: Reader) -> tuple[str, ...]:
    """As they were published: without those that were empty."""
    named = (role for role in reader.roles if role.required or role.name in inputs)
    return tuple(inputs.get(role.name, "") for role in named)


def _check_numbers(found: Floats, golden: Golden, folder: Path) -> None:
    if not np.isfinite(found).all():
        raise StoreError(f"{folder}: the model answers NaN or infinity", hint=_AGAIN)
    if found.shape != golden.logits.shape:
        raise StoreError(
            f"{folder / GOLDEN}: {golden.logits.shape[-1]} logits, "
            f"but the model has {found.shape[-1]} outputs",
            hint=_AGAIN,
        )


def _compare(found: Floats, golden: Golden, folder: Path) -> None:
    _check_numbers(found, golden, folder)
    apart = np.abs(found - golden.logits).max(axis=1)
    worst = int(apart.argmax())
    if apart[worst] > golden.tolerance:
        raise StoreError(
            f"{folder / GOLDEN}:{worst + 1}: the model answers {_numbers(found[worst])}, "
            f"published were {_numbers(golden.logits[worst])}",
            hint=_AGAIN,
        )


def _numbers(logits: Floats) -> str:
    return ", ".join(f"{value:.4f}" for value in logits[:8].tolist())


def _shown(labels: Sequence[object]) -> str:
    return ", ".join(map(str, labels[:8])) + (", ..." if len(labels) > 8 else "")

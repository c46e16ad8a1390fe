"""Real artefacts of tiny models for the server, whole and broken in chosen ways."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from graft_worker.apps.app import App
from graft_worker.export import manifest
from graft_worker.export.contents import Golden
from graft_worker.run import inference
from tests.worker import small

TEXTS = ("good", "the film was good", "the plot was dull and slow and bad and very bad", "bad end")
PAIRS = (("the film was good", "not bad"), ("dull", "the plot was very slow and dull"))


def published(store: Path, app: App, inputs: Sequence[Mapping[str, str]]) -> Path:
    """An artefact whose golden examples are what its weights answer."""
    module = small.classifier(app)
    encode = app.features(small.tokenizer(), 12)
    logits = inference.logits_of(module, encode(small.rows(inputs)), device=torch.device("cpu"))
    golden = tuple(
        Golden(inputs=told, logits=tuple(row))
        for told, row in zip(inputs, logits.tolist(), strict=True)
    )
    return small.published(store, app, golden=golden).uri


def classify(store: Path, **told: Any) -> Path:
    """One that judges single texts."""
    return published(store, small.app(**told), [{"text": text} for text in TEXTS])


def match(store: Path) -> Path:
    """One that judges pairs."""
    return published(store, small.app("text_match"), [{"text_a": a, "text_b": b} for a, b in PAIRS])


def changed(artefact: Path, to: Path, change: Callable[[Path], None]) -> Path:
    """A copy with a change, and a manifest that fits: as if it had been published so."""
    shutil.copytree(artefact, to)
    (to / manifest.NAME).unlink()
    change(to)
    (to / manifest.NAME).write_text(manifest.describe(to).text())
    return to


def with_nan(folder: Path) -> None:
    """One weight of the head is no number."""
    weights = load_file(folder / "model.safetensors")
    weights["classifier.weight"][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def with_other_weights(folder: Path) -> None:
    """Weights of another training."""
    weights = load_file(folder / "model.safetensors")
    weights["classifier.weight"] = weights["classifier.weight"].flip(0).contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def with_swapped_labels(folder: Path) -> None:
    """Labels in another order than the weights learnt them."""
    labels = json.loads((folder / "labels.json").read_text())
    (folder / "labels.json").write_text(json.dumps(labels[::-1]))


def without_golden(folder: Path) -> None:
    """Nothing to prove the model by."""
    (folder / "golden.jsonl").write_text("")


def with_a_flipped_bit(folder: Path) -> None:
    """One bit of the weights is another."""
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)

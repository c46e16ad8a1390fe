"""A published model, loaded to answer: from rows to logits.

N rows, C outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from graft_api.app import App as Spec
from graft_api.errors import ConfigError
from graft_worker.apps import registry
from graft_worker.apps.app import App
from graft_worker.data import batches
from graft_worker.data.blocks import Block, Encode
from graft_worker.data.rows import Row
from graft_worker.data.shards import Shards
from graft_worker.export import artefact as artefacts
from graft_worker.export.artefact import Artefact
from graft_worker.models import build, tokenization
from graft_worker.models.heads import SequenceClassifier

TOKENS = 8192  # slots of a batch: keeps activations of a base-sized model far below a GiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An artefact with its app, network and features, on a device."""

    artefact: Artefact
    app: App
    module: nn.Module
    encode: Encode
    device: torch.device


def open_model(folder: Path) -> Model:
    """The model of an artefact's folder, on the first GPU where there is one.

    Raises:
        StoreError: the folder is no artefact, or is damaged.
        ConfigError: this version does not have its app, or its parts do not fit together.
    """
    artefact = artefacts.load(folder)
    spec = spec_of(artefact)
    assert artefact.problem is not None
    app = registry.build(spec, problem=artefact.problem, labels=artefact.labels)
    tokenizer = tokenization.load(folder)
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    encoder = build.load_encoder(folder, random=False, seed=0, vocabulary=size)
    module = cast("SequenceClassifier", app.model(encoder, 0.0))
    module.restore_head(folder)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Model(
        artefact=artefact,
        app=app,
        module=module.to(device).eval(),
        encode=app.features(tokenizer, artefact.max_length),
        device=device,
    )


def spec_of(artefact: Artefact) -> Spec:
    """The `spec.app` that made the artefact.

    Raises:
        ConfigError: it was made for none, or no Graft of this version has such an app.
    """
    if not artefact.app:
        raise ConfigError(
            f"{artefact.folder}: a pretrained model, which answers nothing yet",
            hint="start a TransferJob from it: model: {from: {uri: THIS_FOLDER}}",
        )
    told = {"name": artefact.app, "variant": artefact.variant, "params": dict(artefact.params)}
    try:
        return Spec.model_validate(told)
    except ValueError:
        raise ConfigError(
            f"{artefact.folder}: app {artefact.app} ({artefact.variant}) is unknown",
            hint="use the Graft that made it, or a newer one",
        ) from None


def logits(model: Model, rows: Sequence[Row]) -> Tensor:
    """Logits [N, C] of rows keyed by role, in the rows' order, in fp32 on the CPU.

    Rows of like length are computed together, which changes results by rounding alone.
    """
    return logits_of(model.module, model.encode(rows), device=model.device)


def logits_of(module: nn.Module, block: Block, *, device: torch.device) -> Tensor:
    """Logits [N, C] of encoded examples, in their order, in fp32 on the CPU; no gradient.

    The module stands in evaluation mode: `module.eval()`.
    """
    shards, parts, places = Shards.in_memory(block), [], []
    with torch.inference_mode():
        for batch in batches.sequential(
            shards, rank=0, world=1, tokens=TOKENS, width=0, packing=False
        ):
            parts.append(module(batch.to(device)).float().cpu())
            places.append(batch.samples)
    return torch.cat(parts)[torch.cat(places).argsort()]

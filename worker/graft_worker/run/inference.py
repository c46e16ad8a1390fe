"""A published model, loaded to answer: from rows to logits.

N rows, C outputs, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from graft_api.app import App as Spec
from graft_api.errors import ConfigError
from graft_worker.apps import registry
from graft_worker.apps.app import App
from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.data.blocks import Block, Encode
from graft_worker.data.rows import Row
from graft_worker.data.shards import Shards
from graft_worker.export import artefact as artefacts
from graft_worker.export.artefact import Artefact
from graft_worker.models import build, graphs, tokenization
from graft_worker.models.graphs import Graph
from graft_worker.models.heads import SequenceClassifier

Precision = Literal["auto", "fp32", "bf16"]

# Slots of a batch: on a CPU its activations stay in the caches, elsewhere far below a GiB.
TOKENS = {"cpu": 1024}
MOST_TOKENS = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An artefact with its app, network and features, on a device."""

    artefact: Artefact
    app: App
    module: nn.Module
    encode: Encode
    device: torch.device


def open_model(folder: Path, *, precision: Precision = "fp32") -> Model:
    """The model of an artefact's folder, on the first GPU where there is one.

    An exported artefact is its graph, on the CPU, in the number format that it was exported in.

    Raises:
        StoreError: the folder is no artefact, or is damaged.
        ConfigError: this version does not have its app, or its parts do not fit together.
    """
    artefact = artefacts.load(folder)
    spec = spec_of(artefact)
    assert artefact.problem is not None
    app = registry.build(spec, problem=artefact.problem, labels=artefact.labels)
    tokenizer = tokenization.load(folder)
    exported = (folder / graphs.FILE).is_file()
    device = torch.device("cuda" if torch.cuda.is_available() and not exported else "cpu")
    module = _graph(folder) if exported else _network(folder, app, tokenizer)
    dtype = torch.float32 if exported else _dtype(precision, device)
    return Model(
        artefact=artefact,
        app=app,
        module=module.to(device, dtype).eval(),
        encode=app.features(tokenizer, artefact.max_length),
        device=device,
    )


def open_network(folder: Path, app: App) -> nn.Module:
    """The network of a model folder that is no artefact but has the app's head, in fp32.

    It stands in evaluation mode, on the first GPU where there is one.

    Raises:
        ConfigError: its parts do not fit together.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return _network(folder, app, tokenization.load(folder)).to(device, torch.float32).eval()


def _network(folder: Path, app: App, tokenizer: Tokenizer) -> nn.Module:
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    encoder = build.load_encoder(folder, random=False, seed=0, vocabulary=size)
    module = cast("SequenceClassifier", app.model(encoder, 0.0))
    module.restore_head(folder)
    return module


def _graph(folder: Path) -> nn.Module:
    try:
        return Graph(folder / graphs.FILE, threads=torch.get_num_threads())
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{folder / graphs.FILE}: needs {error.name}, which is not installed",
            hint="pip install 'graft-operator[onnx]'",
        ) from None


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    if precision == "fp32":
        return torch.float32
    from graft_worker.train import precision as formats  # the server's image is without it

    return formats.DTYPES[formats.choose(precision, device).name]


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
    return _pass(lambda batch: (module(batch),), block, device)[0]


def answers(model: Model, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """Logits as above, and the vectors [N, H] that the head reads."""
    found = _pass(partial(_both, model.module), model.encode(rows), model.device)
    return found[0], found[1]


def _both(module: nn.Module, batch: Batch) -> tuple[Tensor, ...]:
    if isinstance(module, Graph):
        return tuple(torch.from_numpy(each) for each in module.both(batch))
    classifier = cast("SequenceClassifier", module)
    vectors = classifier.encoder.summary(batch)
    return classifier.classifier(vectors), vectors


def _pass(
    compute: Callable[[Batch], tuple[Tensor, ...]], block: Block, device: torch.device
) -> tuple[Tensor, ...]:
    """What is computed of every batch, in the order of the examples."""
    shards, parts, places = Shards.in_memory(block), list[tuple[Tensor, ...]](), list[Tensor]()
    tokens = TOKENS.get(device.type, MOST_TOKENS)
    with torch.inference_mode():
        for batch in batches.sequential(
            shards, rank=0, world=1, tokens=tokens, width=0, packing=False
        ):
            parts.append(tuple(each.float().cpu() for each in compute(batch.to(device))))
            places.append(batch.samples)
    order = torch.cat(places).argsort()
    return tuple(torch.cat(column)[order] for column in zip(*parts, strict=True))

"""Classifiers as ONNX graphs: made from a network, made smaller, and run without torch's engine.

N texts, W slots, C outputs, H hidden.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from graft_api.errors import ConfigError
from graft_worker.data.batch import Batch
from graft_worker.models.bert import BertEncoder
from graft_worker.models.heads import SequenceClassifier

FILE = "model.onnx"
INPUTS = ("ids", "positions", "segments", "types")  # columns of a padded Batch, [N, W]
OUTPUTS = ("logits", "vectors")  # [N, C], [N, H]
OPSET = 17

Floats = NDArray[np.float32]


class Graph(nn.Module):
    """A graph that answers padded batches as the network does that it was made from."""

    def __init__(self, source: bytes | Path, *, threads: int) -> None:
        super().__init__()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that spin while they wait take the core from the one that speaks to clients.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        told = source if isinstance(source, bytes) else str(source)
        try:
            self._session: Any = onnxruntime.InferenceSession(
                told, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library's errors have no class of their own
            place = FILE if isinstance(source, bytes) else source
            raise ConfigError(
                f"{place}: not a graph that can be run: {error}", hint="export the artefact again"
            ) from None

    def forward(self, batch: Batch) -> Tensor:
        """Logits [N, C]."""
        return torch.from_numpy(self.both(batch)[0])

    def both(self, batch: Batch) -> tuple[Floats, Floats]:
        """Logits [N, C] and vectors [N, H]."""
        feed = {name: getattr(batch, name).numpy() for name in INPUTS}
        logits, vectors = self._session.run(OUTPUTS, feed)
        return logits, vectors


def traced(module: SequenceClassifier, batch: Batch) -> bytes:
    """The graph of a network in evaluation mode, for any number of texts of any length.

    `batch` has several texts of several lengths, one a row.

    Raises:
        ConfigError: the network is of a family of which this version makes no graphs.
    """
    if not isinstance(module.encoder, BertEncoder):
        raise ConfigError(
            f"{module.encoder.config.architecture}: no ONNX graphs of this family in this version",
            hint="serve the artefact as it is: graft serve ARTEFACT",
        )
    any_size = {name: {0: "texts", 1: "slots"} for name in INPUTS}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        written = Path(folder) / FILE
        warnings.simplefilter("ignore")  # sizes that are constant in the trace are so by design
        torch.onnx.export(
            _Columns(module).eval(),  # the exporter leaves all parts in the mode of this one
            tuple(getattr(batch, name) for name in INPUTS),
            written,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes={**any_size, **{name: {0: "texts"} for name in OUTPUTS}},
            opset_version=OPSET,
            dynamo=False,
        )
        return written.read_bytes()


def quantised(graph: bytes) -> bytes:
    """The graph with weights as signed bytes, one scale per channel; activations as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        plain, fused, small = (
            Path(folder) / f"{name}.onnx" for name in ("plain", "fused", "small")
        )
        plain.write_bytes(graph)
        quant_pre_process(plain, fused, skip_symbolic_shape=True)
        quantize_dynamic(fused, small, weight_type=QuantType.QInt8, per_channel=True)
        return small.read_bytes()


class _Columns(nn.Module):
    """The network as a function of the columns of a padded batch."""

    def __init__(self, module: SequenceClassifier) -> None:
        super().__init__()
        self.module = module

    def forward(
        self, ids: Tensor, positions: Tensor, segments: Tensor, types: Tensor
    ) -> tuple[Tensor, Tensor]:
        first = torch.arange(ids.shape[0]) * ids.shape[1]
        batch = Batch(
            ids=ids,
            positions=positions,
            segments=segments,
            types=types,
            keys=torch.zeros_like(segments),
            first=first,
            samples=first,
            targets={},
            tokens=0,  # never as many as there are slots: the mask is always asked
            most=1,
        )
        vectors = self.module.encoder.summary(batch)
        return self.module.classifier(vectors), vectors

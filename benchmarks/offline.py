"""Graft's offline inference, as `graft predict` does it: rows in, vectors out, lap by lap."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options


def embed(options: Options, baton: Baton) -> Mapping[str, Any]:
    """Vectors of the texts, again and again; in mode `answers` once, and told.

    Options: `artefact`, `precision`, `threads`, `texts`, `mode`.
    """
    import torch

    from graft_worker.data.rows import Row
    from graft_worker.run import inference

    torch.set_num_threads(options["threads"])
    model = inference.open_model(Path(options["artefact"]), precision=options["precision"])
    rows = [Row({"text": text}, "texts", place) for place, text in enumerate(options["texts"])]
    if options["mode"] == "answers":
        return {"vectors": inference.answers(model, rows)[1].tolist()}
    baton.begin()
    while True:
        inference.answers(model, rows)
        baton.lap(texts=len(rows))

"""A training with compiled blocks, in a process of its own: `compiled_run FOLDER` prints as JSON
what torch has counted, and what came of a shape for which no compiler was left.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import torch
import torch._dynamo  # as in workers that are forked: it names a folder in the environment
from torch import Tensor, nn

from graft_api.training import Length
from graft_worker.distributed.process import Process
from graft_worker.train.run import Run
from tests.worker.train import tiny

LAYERS = 2
TRAINING = tiny.training(duration=Length(steps=3), compile="always")


class Layer(nn.Module):
    """One kernel forward and one backward: what takes time is the C++ compiler."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.linspace(0.5, 1.5, tiny.HIDDEN))

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + torch.tanh(self.scale * hidden)


def task() -> tiny.TinyTask:
    """The tiny classifier with these layers."""
    made = tiny.TinyTask()
    made.module.encoder.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
    return made


@dataclass
class Graphs:
    """The number of graphs so far, after every step."""

    name: str = "graphs"
    seen: list[int] = field(default_factory=list)

    def after_step(self, run: Run) -> None:
        from torch._dynamo.utils import counters

        self.seen.append(counters["stats"]["unique_graphs"])


def main(root: Path) -> None:
    said, graphs, made = StringIO(), Graphs(), task()
    logging.basicConfig(stream=said, format="%(levelname)s %(message)s")
    logging.getLogger("graft_worker.train.compilation").setLevel(logging.INFO)
    torch.set_num_threads(1)
    outcome = tiny.train(
        root / "checkpoints",
        Process(),
        extra=(graphs,),
        task=made,
        training=TRAINING,
        compiled=root / "compiled",
        environ=os.environ,
    )
    counted = _counted()
    print(
        json.dumps(
            {
                "losses": outcome.curve.losses,
                "graphs": graphs.seen,
                **counted,
                "far": _of_another_shape(made),
                "said": said.getvalue().splitlines(),
            }
        )
    )


def _counted() -> dict[str, int]:
    from torch._dynamo.utils import counters

    found = counters["inductor"]
    return {"found": found["fxgraph_cache_hit"], "made": found["fxgraph_cache_miss"]}


def _of_another_shape(made: tiny.TinyTask) -> float:
    """How far both blocks are from the eager ones, after the compiler has been taken away."""
    import torch._inductor.config

    torch._inductor.config.cpp.cxx = ("/without/a/compiler",)
    hidden, far = torch.ones(7, tiny.HIDDEN), 0.0
    for block in made.module.encoder.layers:  # type: ignore[union-attr]
        far = max(far, (block(hidden) - type(block).forward(block, hidden)).abs().max().item())
    return far


if __name__ == "__main__":
    main(Path(sys.argv[1]))

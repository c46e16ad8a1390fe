"""What a step of Graft's pretraining takes of time and memory, in this process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks import ours, ours_mlm, resident

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options
    from graft_worker.train.run import Run

WARM = 4  # steps that are not timed


class Steps:
    """Keeps when each step ended, and how many tokens had been read by then."""

    name = "steps"

    def __init__(self) -> None:
        self.ends: list[tuple[float, int]] = []

    def after_step(self, run: Run) -> None:
        """One more."""
        self.ends.append((time.perf_counter(), run.counters.tokens))


def steps(options: Options, _baton: Baton) -> Mapping[str, Any]:
    """The median step after a few: seconds, tokens of the whole gang, MiB of this process."""
    import torch

    from graft_worker.train.loop import Trainer

    torch.set_num_threads(options["threads"])
    seen = Steps()
    with TemporaryDirectory() as folder:
        job = ours.prepare(ours_mlm.job(options), Path(folder))
        before = resident.mebibytes(resident.OWN)
        with resident.Watch() as watch:
            result = Trainer(work=ours.work_of(job, dropout=True), extra=(seen,)).run()
    timed = seen.ends[WARM - 1 :]
    taken = [later - sooner for (sooner, _), (later, _) in pairwise(timed)]
    return {
        "seconds": statistics.median(taken),
        "tokens": (timed[-1][1] - timed[0][1]) / len(taken),
        "mebibytes": watch.most - before,
        "precision": result.precision,
    }

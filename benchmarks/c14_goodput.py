"""C14: goodput of a gang of two whose workers are killed by SIGKILL, now this one, now that one.

The workers are two processes of one machine under the launcher that every worker pod runs, not
pods: nothing is scheduled, no image is pulled, and no node is lost.

Both train the same classifier on the same texts for as many steps, one thread a worker, and are
killed at the same seconds after their first step; the median step is that of the killed runs.
The peer is torchrun with a Trainer that resumes.
What goes before the first step counts: of ours that is the prepare stage, too. Each saves about as
often as Young's formula asks of it.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import figures, gangs, killing, race
from benchmarks.c5_finetune import Course
from benchmarks.figures import Figures
from benchmarks.killing import Killer, Run
from benchmarks.peers import notes
from benchmarks.settings import Settings
from benchmarks.spending import Spending, reports_of
from benchmarks.workloads import Workload
from graft_api.decoding import decode
from graft_api.planner import plan
from graft_worker.run.nursery import WORKER

MEAN = 120.0  # seconds between two kills
TARGET = 0.90  # of ours, killed that often
STEPS = 400  # seven to eight minutes without faults on two cores with AVX2
SAVES = {"ours": 5, "peer": 10}  # steps between two checkpoints
PEER = "benchmarks.peers.resuming"
TORCHRUN = (
    *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
    *("--monitor-interval=0.01", "--max-restarts=1000"),
)
OURS = {**gangs.GANG, "PET_MAX_RESTARTS": "1000"}
JOB: Mapping[str, Any] = {"apiVersion": "graft.dev/v1alpha1", "kind": "TransferJob"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long both train, how often they save, and when they are killed."""

    workload: Workload
    seed: int
    steps: int
    saves: Mapping[str, int]
    moments: tuple[float, ...]  # seconds since the first step

    @classmethod
    def of(cls, workload: Workload, settings: Settings) -> Plan:
        """The row's; the quick one has a single kill early on."""
        seed = settings.seeds[0]
        if settings.quick:
            saves = {"ours": 20, "peer": 20}
            return cls(workload=workload, seed=seed, steps=150, saves=saves, moments=(0.2,))
        moments = killing.moments(MEAN, random.Random(seed))
        return cls(workload=workload, seed=seed, steps=STEPS, saves=SAVES, moments=moments)

    def killer(self, stepped: Path, is_worker: killing.Test) -> Killer:
        """Who kills one of these workers after that file has its first line."""
        draw = random.Random(f"{self.seed} workers")
        return Killer(moments=self.moments, draw=draw, is_worker=is_worker, stepped=stepped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """One training of ours."""

    run: Run
    reports: Sequence[Mapping[str, Any]]
    weights: str  # digest

    def losses(self) -> dict[int, float]:
        """By step, as reported."""
        return {report["step"]: report["loss"] for report in self.reports}


def run(row: str, course: Course, settings: Settings) -> Mapping[str, Any]:
    """The result of the row: ours without kills, ours and the peer with them."""
    asked, folder = Plan.of(course.workload, settings), Path(course.workload.folder)
    calm = _ours(asked, folder / "calm", killed=False)
    ours = _ours(asked, folder / "killed", killed=True)
    spent = {
        "ours": Spending.of_reports(ours.run, ours.reports),
        "peer": _peer(asked, folder / "peer"),
    }
    found = Figures(
        unit="shares of the wall time",
        cases=_cases(spent),
        notes=tuple(_notes(asked, spent)),
        faults=tuple(faults(calm, ours)),
    )
    title = (
        "goodput of two processes on one machine under a launcher, not pods;"
        f" one killed every {MEAN:.0f} s on average"
    )
    return figures.row(row, title, found, settings)


def faults(calm: Trained, killed: Trained) -> list[str]:
    """What shows that the killed training was not the same, to the bit."""
    found = []
    one, other = calm.losses(), killed.losses()
    if odd := [step for step in sorted(one.keys() & other.keys()) if one[step] != other[step]]:
        found.append(f"the loss of step {odd[0]} is not that of a training without kills")
    if calm.weights != killed.weights:
        found.append("the weights are not those of a training without kills")
    if not killed.run.kills:
        found.append("no worker was killed")
    return found


def _ours(asked: Plan, folder: Path, *, killed: bool) -> Trained:
    store, home = folder / "store", folder / "store" / "jobs" / "killed"
    home.mkdir(parents=True)
    (home / "job.json").write_text(plan(decode(json.dumps(_job(asked)))).job)
    metrics = home / "metrics.jsonl"
    killer = asked.killer(metrics, lambda process: process.name() == WORKER) if killed else None
    programs = [("-m", "graft_worker", stage) for stage in ("prepare", "launch")]
    environ = {**gangs.contract(store, home), **OURS}
    done = killing.run(programs, environ, folder / "log.txt", killer)
    uri = json.loads((home / "result.json").read_text())["artefact"]["uri"]
    weights = (Path(uri) / "model.safetensors").read_bytes()
    reports = reports_of(metrics.read_text())
    return Trained(run=done, reports=reports, weights=hashlib.sha256(weights).hexdigest())


def _job(asked: Plan) -> Mapping[str, Any]:
    workload, recipe = asked.workload, asked.workload.recipe
    columns = {name: name for name in (*workload.texts, "label")}
    spec = {
        "app": {"name": workload.app, "labels": list(workload.labels)},
        "model": {"from": {"uri": str(workload.start)}},
        "data": {
            "train": {"uri": str(workload.file("train")), "columns": columns},
            "maxLength": recipe.max_length,
        },
        "training": {
            "duration": {"steps": asked.steps},
            "globalBatch": recipe.global_batch,
            "optimizer": {"learningRate": recipe.learning_rate, "weightDecay": 0.0},
            "schedule": {"name": "linear", "warmup": 0},
            "seed": asked.seed,
            "precision": "fp32",
            "packing": "never",
            "evaluate": {"keepBest": False},
        },
        "checkpoint": {"every": {"steps": asked.saves["ours"]}},
        "workers": {"desired": 2},
    }
    return {**JOB, "metadata": {"name": "killed"}, "spec": spec}


def _peer(asked: Plan, folder: Path) -> Spending:
    folder.mkdir()
    options = {
        "workload": asked.workload.options(),
        "steps": asked.steps,
        "save": asked.saves["peer"],
        "seed": asked.seed,
        "folder": str(folder),
    }
    (folder / "options.json").write_text(json.dumps(options))
    path = folder / notes.FILE
    program = (*TORCHRUN, "-m", PEER, str(folder / "options.json"))
    environ = {**race.QUIET, **gangs.GANG}
    done = killing.run([program], environ, folder / "log.txt", asked.killer(path, _is_peer))
    return Spending.of_notes(done, reports_of(path.read_text()))


def _is_peer(process: psutil.Process) -> bool:
    arguments = process.cmdline()
    return PEER in arguments and "torch.distributed.run" not in arguments


def _cases(spent: Mapping[str, Spending]) -> Mapping[str, Mapping[str, float]]:
    shares = {
        name: {"goodput": of_one.goodput, **of_one.shares()} for name, of_one in spent.items()
    }
    return {case: {name: of[case] for name, of in shares.items()} for case in shares["ours"]}


def _notes(asked: Plan, spent: Mapping[str, Spending]) -> Sequence[str]:
    return [
        f"Goodput is {asked.steps} steps of the median length over the time from the start to the"
        " end.",
        *(_told(name, of_one, asked.saves[name]) for name, of_one in spent.items()),
        reached(spent["ours"].goodput),
        "The losses and the weights of ours are those of a training without kills, to the bit.",
        "A gang is two processes of one machine under the launcher that every worker pod runs, not"
        " two pods: nothing is scheduled, no image is pulled, no node is lost.",
    ]


def reached(goodput: float) -> str:
    """Whether ours kept what it is to keep, by the number that the result shows."""
    shown = round(goodput, 4)
    verb = "is" if shown >= TARGET else "is not"
    return f"The target of {TARGET:.2f} {verb} reached: the goodput of ours is {shown:.4f}."


def _told(name: str, spent: Spending, save: int) -> str:
    kills = f"{spent.kills} kill" + ("s" if spent.kills != 1 else "")
    each = f", {spent.restarts / spent.kills:.2f} s to start again" if spent.kills else ""
    return (
        f"{name}: {spent.wall:.0f} s, median step {spent.step:.3f} s, saved every {save} steps,"
        f" {kills}{each}."
    )

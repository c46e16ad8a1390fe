"""Jobs run stage by stage in this process, and a problem that little labelled data cannot teach."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graft_api import decoding, planner
from graft_api.progress import Termination
from graft_worker.config import read_settings
from graft_worker.distributed.process import Process
from graft_worker.report import termination
from graft_worker.run import desk, mirroring, prepare, train
from graft_worker.train.stop_request import StopRequest

WORDS = tuple(f"{a}{b}" for a in "bdfgklmn" for b in ("a", "e", "i", "o", "u"))
MODEL = {"architecture": "bert", "layers": 1, "hidden": 32, "heads": 2}


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a job has left."""

    words: Termination
    store: Path

    @property
    def artefact(self) -> Path:
        return Path(self.words.artefact_uri)

    @property
    def weights(self) -> bytes:
        return (self.artefact / "model.safetensors").read_bytes()


def rows(count: int, *, seed: int, noise: float = 0.0) -> list[dict[str, str]]:
    """Eight words each; the label is the half of the vocabulary that most of them are from."""
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        label = int(draw.integers(2))
        near = draw.random(8) < 0.7
        half = np.where(near, label, 1 - label)
        words = [WORDS[2 * int(draw.integers(len(WORDS) // 2)) + int(side)] for side in half]
        truth = int(half.sum() * 2 > 8)
        told = 1 - truth if draw.random() < noise else truth
        made.append({"text": " ".join(words), "label": "yn"[told]})
    return made


def write(path: Path, rows: list[dict[str, str]], *, labels: bool = True) -> str:
    columns = ("text", "label") if labels else ("text",)
    lines = ["\t".join(columns), *("\t".join(row[c] for c in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def job(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    head = {"apiVersion": "graft.dev/v1alpha1", "kind": kind, "metadata": {"name": name}}
    training = {"globalBatch": 32, "precision": "fp32", "optimizer": {"learningRate": 3e-3}}
    whole = {"app": {"name": "text_classify"}, **spec}
    whole["training"] = training | spec.get("training", {})
    whole["data"] = spec["data"] | {"maxLength": 16}
    return {**head, "spec": whole}


def run(
    store: Path, told: dict[str, Any], *, process: Process | None = None, fault: str = ""
) -> Done:
    """The job from start to end; `prepare` only in the process that leads."""
    process = process or Process()
    environ = contract(store, told, fault)
    if process.leads:
        prepare.main(environ)
    process.broadcast(None)  # nobody trains before that
    return trained(store, environ, process)


def trained(store: Path, environ: dict[str, str], process: Process) -> Done:
    settings = read_settings(environ)
    stop, mirror = StopRequest(), mirroring.of(settings)
    with desk.opened(settings, process, environ) as opened:
        train.train(settings, mirror, process, opened, stop)
    words = termination.read(Path(environ["GRAFT_TERMINATION_FILE"])) if process.leads else None
    return Done(words=words or Termination(state="Complete"), store=store)


def contract(store: Path, told: dict[str, Any], fault: str) -> dict[str, str]:
    plan = planner.plan(decoding.decode_json(json.dumps(told)))
    folder = store / "jobs" / told["kind"].lower() / told["metadata"]["name"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.json").write_text(plan.job)
    return {
        "GRAFT_JOB_FILE": str(folder / "job.json"),
        "GRAFT_STORE": str(store),
        "GRAFT_JOB_DIR": str(folder),
        "GRAFT_TERMINATION_FILE": str(folder / "termination.json"),
        "GRAFT_FAULTS_ENABLED": "1",
        "GRAFT_FAULT_AT": fault,
    }

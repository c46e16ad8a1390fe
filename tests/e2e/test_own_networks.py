"""Apps with a network of their own: from a job without a model to answers."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from tests.e2e import jobs

JOB = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {name: cues}
spec:
  app:
    name: APP
    params: {embeddingSize: 32, filters: 16, vocabularySize: 200}
  data:
    train: {uri: train.jsonl}
    validation: {uri: dev.jsonl}
    maxLength: 32
  training:
    duration: {epochs: 6}
    optimizer: {learningRate: 3.0e-3}
    precision: fp32
"""
WORDS = ("bib", "dod", "gag", "kik", "lol", "mum", "pop", "ror", "sis", "tut")


def cues(count: int, seed: int) -> list[dict[str, str]]:
    """Texts whose class is the order of three neighbours, anywhere: counting words tells nothing.

    A pair's class is that of its second text.
    """
    draw, rows = random.Random(seed), []
    for number in range(count):
        words = draw.choices(WORDS, k=9)
        at, cue = draw.randrange(9), ["ack", "eck", "ick"]
        words[at:at] = cue if number % 2 else cue[::-1]
        first = " ".join(draw.choices(WORDS, k=6))
        rows.append({"text": " ".join(words), "label": f"l{number % 2}", "first": first})
    return rows


@pytest.mark.parametrize("app", ["text_classify_cnn", "text_match_bicnn"])
def test_a_network_of_windows_learns_the_order_of_neighbours(tmp_path: Path, app: str) -> None:
    roles = {"text_classify_cnn": {"text": "text"}, "text_match_bicnn": {"text_a": "first"}}[app]
    for name, count, seed in (("train", 600, 1), ("dev", 100, 2)):
        rows = [
            {role: row[column] for role, column in roles.items()}
            | {"text_b": row["text"], "label": row["label"]}
            for row in cues(count, seed)
        ]
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    job = tmp_path / "job.yaml"
    job.write_text(JOB.replace("APP", app))
    done = jobs.run(job, tmp_path / "store")
    assert done.metric("accuracy") >= 0.95
    config = json.loads((done.artefact / "config.json").read_text())
    assert config["graft"]["variant"] == {"text_classify_cnn": "textcnn"}.get(app, "bicnn")
    answers = tmp_path / "answers.jsonl"
    asked = [*jobs.GRAFT, "predict", str(done.artefact), "--input", str(tmp_path / "dev.jsonl")]
    subprocess.run([*asked, "--output", str(answers)], check=True, capture_output=True)
    found = [json.loads(line)["predictions"] for line in answers.read_text().splitlines()]
    wanted = [row["label"] for row in cues(100, 2)]
    right = sum(a == b for a, b in zip(found, wanted, strict=True))
    assert right / 100 == done.metric("accuracy")


def test_a_model_beside_a_network_of_its_own_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in cues(4, 1)))
    job = tmp_path / "job.yaml"
    model = "  model: {from: {zoo: minilm-l6-en}}\n  data:\n"
    text = JOB.replace("APP", "text_classify_cnn").replace("  data:\n", model)
    job.write_text(text.replace("    validation: {uri: dev.jsonl}\n", ""))
    command = jobs.command(job, tmp_path / "store")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "spec.model: has no effect with variant textcnn" in done.stderr
    assert "leave it out: this network starts from nothing" in done.stderr

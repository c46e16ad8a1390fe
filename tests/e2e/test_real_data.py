"""Real data, from the job file to a model that is better than counting words.

The floors are the trivial baselines that come with the data sets, and what a plain loop reaches.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.data

JOB = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {{name: {name}}}
spec:
  app: {{name: {app}}}
  model: {model}
  data:
    train: {{uri: {folder}/train.jsonl}}
    validation: {{uri: {folder}/dev.jsonl}}
    maxLength: 64
  training:
    duration: {{epochs: {epochs}}}
    optimizer: {{learningRate: {rate}}}
    precision: fp32
"""
MINILM = "{from: {zoo: minilm-l6-en}}"


def job(path: Path, folder: Path, **wishes: object) -> Path:
    path.write_text(JOB.format(folder=folder, name=folder.name.replace("_", "-"), **wishes))
    return path

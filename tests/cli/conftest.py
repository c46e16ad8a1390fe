from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Result = subprocess.CompletedProcess[str]
JOB = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {name: reviews}
spec:
  app: {name: text_classify}
  model:
    from: {config: {architecture: bert, layers: 1, hidden: 16, heads: 2}}
    tokenizer: {train: {kind: wordpiece, size: 300}}
  data:
    train: {uri: train.tsv}
    validation: {uri: train.tsv}
    maxLength: 16
  training: {duration: {steps: 4}, globalBatch: 4, precision: fp32}
"""
ROWS = """\
text\tlabel
the lamp is bright and steady\tgood
the kettle leaks from below\tbad
a quiet fan that moves the air\tgood
the handle broke within a day\tbad
"""


@pytest.fixture(scope="session")
def job_text() -> str:
    return JOB


@pytest.fixture(scope="session")
def rows() -> str:
    return ROWS


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    """A small job of random weights whose data stand beside it."""
    (tmp_path / "train.tsv").write_text(ROWS)
    (tmp_path / "job.yaml").write_text(JOB)
    return tmp_path / "job.yaml"


@pytest.fixture
def graft(tmp_path: Path) -> Callable[..., Result]:
    """Runs the command line as a process in the test's folder."""

    def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        return subprocess.run(
            [sys.executable, "-m", "graft_cli", *arguments],
            cwd=tmp_path,
            env=os.environ | (env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return run

"""The commands of the guide work as they stand there, and answer in the form that it shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.serve.running import Running

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (curl .*)\n?((?:[^$\n].*\n)*)", re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    """Every curl command of the guide, and the answer that it shows."""
    guide = (ROOT / "docs" / "guides" / "serving.md").read_text()
    found = [each for block in FENCE.findall(guide) for each in COMMAND.findall(block)]
    return [(command, answer.strip()) for command, answer in found]


def shape(value: Any) -> Any:
    """Names, lengths and kinds, without values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "number" if type(value) in (int, float) else type(value).__name__


def test_the_guide_has_commands_of_every_protocol() -> None:
    told = " ".join(command for command, _ in commands())
    for path in (
        "/v1/predict",
        "/v1/embeddings",
        "/v1/models",
        "/infer",
        "/v2/health/",
        "/metrics",
    ):
        assert path in told


@pytest.mark.parametrize(("command", "answer"), commands(), ids=lambda text: text[8:60])
def test_a_command_of_the_guide_works(server: Running, command: str, answer: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    here = command.replace("curl ", "curl --fail ").replace(":8000", f":{server.port}")
    here = here.replace(":9400", f":{server.metrics_port}")
    done = subprocess.run(
        ["bash", "-c", here], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    if answer:
        assert shape(json.loads(done.stdout)) == shape(json.loads(answer))

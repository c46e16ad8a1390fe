"""A model that is not the one that was published never answers a single request."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from graft_api.errors import ConfigError, StoreError
from graft_cli.main import main
from graft_worker.serve import loading
from graft_worker.serve.listening import claim
from graft_worker.serve.server import serve
from graft_worker.serve.settings import Settings
from tests.serve import models
from tests.serve.running import Running, request, start


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (models.with_nan, "the model answers NaN or infinity"),
        (models.with_other_weights, "published were "),
        (models.with_swapped_labels, "labels.json: has good, bad, but id2label of config.json has"),
        (models.without_golden, "golden.jsonl: no golden examples in it"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_model_that_was_published_broken(
    artefact: Path, tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    broken = models.changed(artefact, tmp_path / "broken", change)
    with pytest.raises(StoreError) as refused:
        loading.load(Settings(artefact=broken))
    assert message in refused.value.message
    assert refused.value.hint


def test_the_command_refuses_a_model_that_was_damaged_on_its_way(
    artefact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(artefact, damaged)
    models.with_a_flipped_bit(damaged)
    assert main(["serve", str(damaged), "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert f"graft: error: {damaged / 'model.safetensors'}: damaged: sha256 " in said


def test_a_pod_with_a_broken_model_stays_up_is_never_ready_and_says_why(
    artefact: Path, tmp_path: Path
) -> None:
    broken = models.changed(artefact, tmp_path / "broken", models.with_nan)
    ports = free_port(), free_port()
    arguments = ("--port", str(ports[0]), "--metrics-port", str(ports[1]), "--linger", "0")
    with start(str(broken), *arguments, program="graft_worker.serve") as process:
        assert process.stderr is not None
        assert any("not ready, and never will be" in line for line in process.stderr)
        ready = request(ports[0], "GET", "/v2/health/ready", None, {})
        assert (ready.status, ready.json["ready"]) == (503, False)
        assert "the model answers NaN or infinity" in ready.json["error"]
        assert request(ports[0], "GET", "/v2/health/live", None, {}).status == 200
        asked = request(ports[0], "POST", "/v1/predict", b'{"texts": ["good"]}', {})
        assert (asked.status, asked.json["error"]["code"]) == (503, "not_ready")
        metrics = request(ports[1], "GET", "/metrics", None, {}).body.decode()
        assert 'graft_serve_ready{model=""} 0.0' in metrics
        process.terminate()
        process.stderr.read()
        assert process.wait(60) == 0


def test_a_port_that_is_taken_is_said_so(artefact: Path, server: Running) -> None:
    with pytest.raises(ConfigError, match=f"--port {server.port}: somebody listens there already"):
        serve(Settings(artefact=artefact, port=server.port), ready=pytest.fail)


def free_port() -> int:
    return claim("127.0.0.1", 0, flag="--port")[1]

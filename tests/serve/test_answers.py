"""Every protocol gives the answers that the artefact gives, whatever computes beside them."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graft_operator.policies.answers import grown, quantile, read
from graft_worker.models import tokenization
from graft_worker.run import inference
from tests.serve import models
from tests.serve.running import Running, running
from tests.worker import small

MIXED = tuple(
    "the film was " + "not " * (i % 7) + ("good", "bad", "slow")[i % 3] for i in range(40)
)


def expected(artefact: Path, *texts: str) -> list[dict[str, Any]]:
    """What `graft predict` says."""
    model = inference.open_model(artefact)
    rows = small.rows([{"text": text} for text in texts])
    return [dict(each) for each in model.app.predictions(inference.logits(model, rows))]


def test_predictions_are_those_of_graft_predict(server: Running, artefact: Path) -> None:
    found = server.predict(*MIXED)
    for each, told in zip(found, expected(artefact, *MIXED), strict=True):
        assert each["label"] == told["predictions"]
        assert list(each["probabilities"]) == ["bad", "good"]
        assert list(each["probabilities"].values()) == pytest.approx(
            told["probabilities"], abs=1e-5
        )


def test_a_text_gets_the_same_answer_whoever_comes_along(server: Running) -> None:
    alone = {text: server.predict(text)[0] for text in MIXED[:12]}
    with ThreadPoolExecutor(12) as clients:
        crowd = list(clients.map(lambda text: server.predict(text)[0], MIXED[:12] * 8))
    for text, found in zip(MIXED[:12] * 8, crowd, strict=True):
        assert found["label"] == alone[text]["label"]
        assert found["probabilities"] == pytest.approx(alone[text]["probabilities"], abs=1e-5)


def test_a_text_that_is_too_long_is_cut_and_says_so(server: Running) -> None:
    exact, longer = "good " * 10, "good " * 11  # two of twelve tokens are marks
    reply = server.ask("POST", "/v1/predict", {"texts": [exact, longer, ""]})
    assert [each["truncated"] for each in reply.json["predictions"]] == [False, True, False]
    assert reply.headers["x-graft-truncated"] == "1"
    one, other, _ = reply.json["predictions"]
    assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_the_open_inference_protocol(server: Running, artefact: Path) -> None:
    version = inference.open_model(artefact).artefact.digest.removeprefix("sha256:")[:12]
    told = server.ask("GET", "/v2/models/text_classify").json
    assert told == {
        "name": "text_classify",
        "versions": [version],
        "platform": "graft_torch",
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "score", "datatype": "FP32", "shape": [-1, 2]},
            {"name": "embedding", "datatype": "FP32", "shape": [-1, 16]},
        ],
    }
    assert server.ask("GET", "/v2/health/live").json == {"live": True}
    assert server.ask("GET", "/v2/health/ready").json == {"ready": True}
    assert server.ask("GET", "/v2").json["name"] == "graft"
    for place in (f"/v2/models/text_classify/versions/{version}", "/v2/models/text_classify"):
        assert server.ask("GET", place).json == told
        assert server.ask("GET", f"{place}/ready").json == {"name": "text_classify", "ready": True}
        texts = {"name": "text", "shape": [2, 1], "datatype": "BYTES", "data": [["good"], ["bad"]]}
        reply = server.ask("POST", f"{place}/infer", {"id": "7", "inputs": [texts]})
        first, second = expected(artefact, "good", "bad")
        assert (reply.status, reply.json["id"]) == (200, "7")
        assert (reply.json["model_name"], reply.json["model_version"]) == ("text_classify", version)
        label, score = reply.json["outputs"]
        assert label == {
            "name": "label",
            "datatype": "BYTES",
            "shape": [2],
            "data": [first["predictions"], second["predictions"]],
        }
        assert (score["name"], score["datatype"], score["shape"]) == ("score", "FP32", [2, 2])
        wanted = first["probabilities"] + second["probabilities"]
        assert score["data"] == pytest.approx(wanted, abs=1e-5)


def test_vectors_are_of_length_one_in_either_form_and_near_where_texts_are(
    server: Running, artefact: Path
) -> None:
    texts = ["the film was good", "the film was good", "slow"]
    ask = {"model": "text_classify", "input": texts}
    plain = server.ask("POST", "/v1/embeddings", ask).json
    coded = server.ask("POST", "/v1/embeddings", ask | {"encoding_format": "base64"}).json
    vectors = np.array([each["embedding"] for each in plain["data"]], np.float32)
    decoded = [np.frombuffer(base64.b64decode(e["embedding"]), "<f4") for e in coded["data"]]
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors, np.stack(decoded), atol=1e-5)
    assert np.allclose(vectors[0], vectors[1], atol=1e-5)
    assert vectors[0] @ vectors[2] < 0.999
    tokens = sum(len(tokenization.load(artefact).encode(text).ids) for text in texts)
    assert plain["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
    assert [each["index"] for each in plain["data"]] == [0, 1, 2]
    one = server.ask("POST", "/v1/embeddings", {"model": "text_classify", "input": "slow"}).json
    assert one["data"][0]["embedding"] == pytest.approx(vectors[2].tolist(), abs=1e-5)
    assert server.ask("GET", "/v1/models").json["data"][0]["id"] == "text_classify"


def test_a_raw_vector_has_the_direction_of_the_one_of_length_one(server: Running) -> None:
    texts = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["slow"]}
    asked = {"inputs": [texts], "outputs": [{"name": "embedding"}]}
    [raw] = server.ask("POST", "/v2/models/text_classify/infer", asked).json["outputs"]
    one = server.ask("POST", "/v1/embeddings", {"model": "text_classify", "input": "slow"}).json
    assert raw["shape"] == [1, 16]
    assert np.array(raw["data"]) / np.linalg.norm(raw["data"]) == pytest.approx(
        np.array(one["data"][0]["embedding"]), abs=1e-5
    )


def test_pairs_are_judged_as_pairs(pairs: Path) -> None:
    model = inference.open_model(pairs)
    rows = small.rows([{"text_a": a, "text_b": b} for a, b in models.PAIRS])
    told = model.app.predictions(inference.logits(model, rows))
    with running(pairs, "--name", "alike", "--precision", "bf16") as server:
        asked = {"pairs": [list(pair) for pair in models.PAIRS]}
        found = server.ask("POST", "/v1/predict", asked).json
        assert found["model"] == "alike"
        for each, wanted in zip(found["predictions"], told, strict=True):
            assert list(each["probabilities"].values()) == pytest.approx(
                wanted["probabilities"], abs=0.02
            )
        columns = [
            {"name": name, "shape": [2], "datatype": "BYTES", "data": list(texts)}
            for name, texts in zip(
                ("text", "text_pair"), zip(*models.PAIRS, strict=True), strict=True
            )
        ]
        reply = server.ask("POST", "/v2/models/alike/infer", {"inputs": columns}).json
        assert reply["outputs"][0]["data"] == [each["label"] for each in found["predictions"]]
        refused = server.ask("POST", "/v1/predict", {"texts": ["one"]})
        assert (refused.status, refused.json["error"]["param"]) == (422, "texts")
        vector = server.ask("POST", "/v1/embeddings", {"model": "alike", "input": "one"})
        assert vector.status == 422
        assert vector.json["error"]["message"] == (
            "model: alike judges pairs of texts: it has no vector of one text"
        )
        assert server.metric("graft_serve_model_info", dtype="bf16", engine="torch") == 1


def test_what_was_served_is_measured(server: Running) -> None:
    before = server.metric("graft_serve_requests_total", endpoint="/v1/predict", code="200")
    batches = server.metric("graft_serve_batch_size_sum")
    server.predict("good", "the zzz")
    after = server.metric("graft_serve_requests_total", endpoint="/v1/predict", code="200")
    assert after == before + 1
    assert server.metric("graft_serve_batch_size_sum") == batches + 2
    assert server.metric("graft_serve_ready", model="text_classify") == 1
    assert server.metric("graft_serve_in_flight") == server.metric("graft_serve_queue_depth") == 0
    assert server.metric("graft_serve_batch_budget_tokens") in (256, 512, 1024, 2048)
    for step in ("request", "queue", "preprocess", "inference", "postprocess"):
        assert server.metric(f"graft_serve_{step}_duration_seconds_count") > 0


def test_the_operator_reads_predictions_and_no_probes_from_it(server: Running) -> None:
    before = read(server.metrics())
    for text in ("good", "bad", "the zzz"):
        server.predict(text)
    server.ask("POST", "/v1/predict", {"texts": 1})
    server.ask("GET", "/v2/health/ready")
    server.ask("GET", "/v1/models")
    found = grown(before, read(server.metrics()))
    assert (found.requests, found.failed) == (4, 0)
    assert found.slots[-1] == (inf, 4)
    assert 0 < quantile(found, 0.99) <= 10


def test_metrics_are_not_on_the_port_of_predictions(server: Running) -> None:
    assert server.ask("GET", "/metrics").status == 404

"""What is wrong with a request is said with the right code, and is never a fault of the server."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serve.running import Running

INFER = "/v2/models/text_classify/infer"
TENSOR = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["good"]}


def tensor(**changed: Any) -> dict[str, Any]:
    return {"inputs": [TENSOR | changed]}


@pytest.mark.parametrize(
    ("path", "body", "status", "param"),
    [
        ("/v1/predict", b"{", 400, None),
        ("/v1/predict", b'{"texts": [NaN]}', 400, None),
        ("/v1/predict", b'{"texts": ["\\ud800"]}', 400, None),
        ("/v1/predict", b"[" * 100_000, 400, None),
        ("/v1/predict", [], 400, None),
        ("/v1/predict", {}, 422, "texts"),
        ("/v1/predict", {"texts": ["a"], "pairs": [["a", "b"]]}, 422, "texts"),
        ("/v1/predict", {"texts": []}, 422, "texts"),
        ("/v1/predict", {"texts": "good"}, 422, "texts"),
        ("/v1/predict", {"texts": ["a", 1]}, 422, "texts[1]"),
        ("/v1/predict", {"texts": [None]}, 422, "texts[0]"),
        ("/v1/predict", {"texts": ["a"] * 257}, 422, "texts"),
        ("/v1/predict", {"text": ["a"]}, 422, "text"),
        ("/v1/predict", {"pairs": [["a", "b"]]}, 422, "pairs"),
        ("/v1/embeddings", {"input": "a"}, 422, "model"),
        ("/v1/embeddings", {"input": "a", "model": "other"}, 404, "model"),
        ("/v1/embeddings", {"input": [1, 2], "model": "text_classify"}, 422, "input"),
        (
            "/v1/embeddings",
            {"input": "a", "model": "text_classify", "dimensions": 8},
            422,
            "dimensions",
        ),
        (
            "/v1/embeddings",
            {"input": "a", "model": "text_classify", "user": {"name": "me"}},
            422,
            "user",
        ),
        (
            "/v1/embeddings",
            {"input": "a", "model": "text_classify", "encoding_format": "hex"},
            422,
            "encoding_format",
        ),
    ],
    ids=str,
)
def test_errors_name_the_field(
    server: Running, path: str, body: Any, status: int, param: str | None
) -> None:
    reply = server.ask("POST", path, body)
    assert reply.status == status
    error = reply.json["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error["code"]
    assert param is None or error["message"].startswith(f"{param}: ")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "inputs: expected a list, found null"),
        ({"inputs": []}, "inputs: is empty, expected one entry at least"),
        ({"inputs": [3]}, "inputs[0]: expected an object, found a number"),
        (tensor(name="txt"), "inputs[0].name: expected text, found 'txt'"),
        (tensor(datatype="FP32"), "inputs[0].datatype: expected BYTES, found 'FP32'"),
        (tensor(shape=[2]), "inputs[0].shape: [2] is not [1], the number of texts"),
        (tensor(shape=[-1]), "inputs[0].shape: expected a list of whole numbers"),
        (tensor(data=[1]), "inputs[0].data[0]: expected a text, found a number"),
        ({"inputs": [TENSOR, TENSOR]}, "inputs[1].name: text is there twice"),
        (
            tensor() | {"outputs": [{"name": "logit"}]},
            "outputs[0].name: expected one of label, score, embedding",
        ),
        (tensor() | {"id": 7}, "id: expected a text, found a number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors_of_the_inference_protocol_are_one_text(
    server: Running, body: Any, message: str
) -> None:
    reply = server.ask("POST", INFER, body)
    assert (reply.status, reply.json) == (422, {"error": message})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/models", 404),
        ("GET", "/v2/models/other", 404),
        ("POST", "/v2/models/other/infer", 404),
        ("GET", "/v2/models/text_classify/versions/000000000000", 404),
        ("GET", "/v2/models/text_classify/versions", 404),
        ("GET", "/v1/predict", 405),
        ("POST", "/v2/health/live", 405),
        ("DELETE", "/v2/models/text_classify", 405),
    ],
)
def test_paths_that_nobody_knows(server: Running, method: str, path: str, status: int) -> None:
    reply = server.ask(method, path, {} if method == "POST" else None)
    assert (reply.status, list(reply.json)) == (status, ["error"])


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("content_type", "text/plain", 415),
        ("x_request_timeout_ms", "soon", 400),
        ("x_request_timeout_ms", "0", 400),
    ],
)
def test_headers_that_cannot_be_used(server: Running, header: str, value: str, status: int) -> None:
    reply = server.ask("POST", "/v1/predict", {"texts": ["a"]}, **{header: value})
    assert reply.status == status


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_a_body_that_is_too_long_is_refused_before_all_of_it_came(
    server: Running, *, chunked: bool
) -> None:
    told = b"transfer-encoding: chunked" if chunked else b"content-length: 3000000000"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"POST /v1/predict HTTP/1.1\r\nhost: a\r\n" + told + b"\r\n\r\n")
        if chunked:
            piece = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
            connection.sendall(piece * 31)
        assert connection.recv(200).startswith(b"HTTP/1.1 413 ")


def test_a_deadline_that_has_passed_is_a_504_and_the_work_is_dropped(server: Running) -> None:
    texts = {"texts": ["the film was not good"] * 256}
    reply = server.ask("POST", "/v1/predict", texts, x_request_timeout_ms="1")
    assert (reply.status, reply.json["error"]["code"]) == (504, "deadline")
    assert server.metric("graft_serve_rejected_total", reason="deadline") >= 1
    assert len(server.predict("good")) == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from(["texts", "pairs", "input", "model", "inputs", "outputs", "id", "name"])
BODIES = st.dictionaries(NAMES, VALUES, max_size=4)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(path=st.sampled_from(["/v1/predict", "/v1/embeddings", INFER]), body=BODIES)
def test_no_body_is_a_fault_of_the_server(server: Running, path: str, body: Any) -> None:
    reply = server.ask("POST", path, json.dumps(body).encode())
    assert reply.status in (200, 400, 404, 422), (body, reply)

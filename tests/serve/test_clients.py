"""Clients that others wrote understand the server, its refusals included."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import openai
import pytest

from tests.serve.running import Running, request

TEXTS = ["the film was good", "slow and dull", "bad"]


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[openai.OpenAI]:
    """OpenAI's client, which knows of nothing but the address."""
    address = f"http://127.0.0.1:{server.port}/v1"
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0) as found:
        yield found


def test_the_openai_client_gets_vectors(client: openai.OpenAI) -> None:
    model = next(iter(client.models.list())).id
    coded = client.embeddings.create(model=model, input=TEXTS)  # it asks for base64
    plain = client.embeddings.create(model=model, input=TEXTS, encoding_format="float")
    assert [each.index for each in coded.data] == [0, 1, 2]
    vectors = np.array([each.embedding for each in coded.data])
    assert np.allclose(vectors, [each.embedding for each in plain.data], atol=1e-5)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert coded.usage.total_tokens == coded.usage.prompt_tokens > len(TEXTS)
    one = client.embeddings.create(model=model, input=TEXTS[1])
    assert np.allclose(one.data[0].embedding, vectors[1], atol=1e-5)


def test_the_openai_client_understands_refusals(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as other:
        client.embeddings.create(model="other", input="a")
    assert (other.value.code, other.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.UnprocessableEntityError) as shorter:
        client.embeddings.create(model="text_classify", input="a", dimensions=8)
    assert shorter.value.param == "dimensions"
    with pytest.raises(openai.UnprocessableEntityError) as ids:
        client.embeddings.create(model="text_classify", input=[1, 2, 3])
    assert ids.value.type == "invalid_request_error"


def test_requests_as_kserves_client_sends_them_are_answered(server: Running) -> None:
    """The wire format of kserve 0.19's InferenceRESTClient, protocol v2.

    The client itself cannot be installed beside our pins: it wants protobuf below 7.
    It names the model in the body, tells no content type, and reads three of the answer's fields.
    """
    texts = {"name": "text", "shape": [len(TEXTS)], "datatype": "BYTES", "data": TEXTS}
    asked = {
        "id": "0b8d2f0e-9a32-4a57-8d2c-0d2a3f1f6f60",
        "model_name": "text_classify",
        "inputs": [texts],
        "outputs": [{"name": "score"}, {"name": "label"}],
        "parameters": {"trace": True},
    }
    place = "/v2/models/text_classify"
    reply = request(server.port, "POST", f"{place}/infer", json.dumps(asked).encode(), {})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert (reply.json["id"], reply.json["model_name"]) == (asked["id"], "text_classify")
    score, label = reply.json["outputs"]
    assert np.array(score["data"], np.float32).reshape(score["shape"]).shape == (3, 2)
    assert label["data"] == [each["label"] for each in server.predict(*TEXTS)]
    assert request(server.port, "GET", "/v2/health/ready", None, {}).json["ready"] is True
    assert request(server.port, "GET", "/v2/health/live", None, {}).json["live"] is True
    assert request(server.port, "GET", f"{place}/ready", None, {}).status == 200


def test_tensors_in_kserves_binary_form_are_refused_by_name(server: Running) -> None:
    texts = {"name": "text", "shape": [1], "datatype": "BYTES"}
    head = json.dumps({"inputs": [texts | {"parameters": {"binary_data_size": 8}}]}).encode()
    told = {
        "inference-header-content-length": str(len(head)),
        "content-type": "application/octet-stream",
    }
    body = head + b"\x04\x00\x00\x00good"
    reply = request(server.port, "POST", "/v2/models/text_classify/infer", body, told)
    assert reply.status == 415
    assert reply.json["error"].startswith("content-type 'application/octet-stream'")

"""Clients that others wrote understand the server, its refusals included."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import openai
import pytest

from tests.serve.running import Running

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

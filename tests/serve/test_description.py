"""The server describes itself at /openapi.json, and schemathesis finds it true: what fits the
description is answered as it says, what does not is refused, and nothing is a fault of the server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.serve.running import Running, running

schemathesis = pytest.importorskip(
    "schemathesis", reason="schemathesis is not installed: pip install -e '.[dev]'"
)
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi import checks  # noqa: E402

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
ASKED = ("/v1/predict", "/v1/embeddings", "/v2/models/text_classify/infer")
STATES = ("/v1/models", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/text_classify")
bounded = settings(
    max_examples=30,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described(server: Running) -> Any:
    """The description, as its server gives it."""
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")


@pytest.mark.parametrize("path", ASKED)
def test_what_fits_the_description_is_answered_as_it_says(described: Any, path: str) -> None:
    @bounded
    @given(case=described[path]["POST"].as_strategy(GenerationMode.POSITIVE))
    def story(case: Any) -> None:
        assert case.call_and_validate(checks=CHECKS).status_code == 200

    story()


@pytest.mark.parametrize("path", ASKED)
def test_what_does_not_fit_is_refused_as_the_description_says(described: Any, path: str) -> None:
    @bounded
    @given(case=described[path]["POST"].as_strategy(GenerationMode.NEGATIVE))
    def story(case: Any) -> None:
        # Of tensors more is taken than a schema can say, such as any number of texts.
        refused = [] if path.endswith("/infer") else [checks.negative_data_rejection]
        case.call_and_validate(checks=[*CHECKS, *refused])
        sent.append(case)

    sent: list[Any] = []
    story()
    assert len(sent) >= 20


@pytest.mark.parametrize("path", STATES)
def test_states_and_facts_are_as_described(described: Any, path: str) -> None:
    described[path]["GET"].Case().call_and_validate(checks=CHECKS)


def test_the_description_of_a_model_of_pairs_asks_for_pairs(pairs: Path) -> None:
    with running(pairs) as server:
        told = server.ask("GET", "/openapi.json").json
        body = told["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]
        assert list(body["schema"]["properties"]) == ["pairs"]
        assert "/v1/embeddings" not in told["paths"]

"""What holds for every job: equal specs give equal plans, and a plan says so in its digest."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graft_api.decoding import decode, decode_json
from graft_api.planner import plan
from tests.api.jobs import TRANSFER

words = st.text("abcdefghij", min_size=1, max_size=8)
counts = st.integers(1, 64)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """A TransferJob that this version can run, with any of its fields left out."""
    most = draw(st.none() | st.integers(8, 64))
    parts = {
        "duration": draw(
            st.sampled_from([{"epochs": 1.5}, {"epochs": 2}, {"steps": 7}, {"tokens": 10}])
        ),
        "seed": draw(st.integers(0, 9)),
        "globalBatch": draw(counts),
        "optimizer": {"name": draw(st.sampled_from(["adamw", "lamb", "sgd"]))},
        "precision": draw(st.sampled_from(["auto", "fp32", "bf16"])),
    }
    workers = {
        "min": draw(st.integers(1, 8)),
        "desired": draw(st.integers(1, 8)),
        "env": [{"name": name, "value": "x"} for name in sorted(draw(st.sets(words)))],
        "resources": {"cpu": draw(st.sampled_from(["1", 2, "500m", "16"])), "gpu": draw(counts)},
    } | ({"max": most} if most else {})
    data = {
        "train": {"uris": draw(st.lists(words.map("pvc://{}/f".format), min_size=1, max_size=3))},
        "maxLength": draw(counts),
    }
    job: dict[str, Any] = yaml.safe_load(TRANSFER)
    spec = {"training": _some(draw, parts), "workers": _some(draw, workers), "data": data}
    return job | {"spec": job["spec"] | spec}


def _some(draw: st.DrawFn, parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if draw(st.booleans())}


@settings(max_examples=60, deadline=None)
@given(specs())
def test_the_plan_of_a_job_that_was_encoded_and_decoded_is_equal(written: dict[str, Any]) -> None:
    job = decode(yaml.safe_dump(written))
    again = decode_json(job.model_dump_json(by_alias=True, exclude_none=True))
    first, second = plan(job), plan(again)
    assert first == second
    assert first.digest() == second.digest()


@settings(max_examples=60, deadline=None)
@given(specs())
def test_the_resolved_job_is_a_job_and_resolves_to_itself(written: dict[str, Any]) -> None:
    made = plan(decode(yaml.safe_dump(written)))
    assert plan(decode_json(made.job)).job == made.job


@settings(max_examples=60, deadline=None)
@given(specs())
def test_a_gang_is_never_outside_its_own_bounds(written: dict[str, Any]) -> None:
    gang = plan(decode(yaml.safe_dump(written))).stage("train").gang
    assert 1 <= gang.min <= gang.desired <= gang.max
    assert gang.desired >= written["spec"]["workers"].get("min", 1)


@settings(max_examples=30, deadline=None)
@given(specs(), st.integers(10, 99))
def test_a_plan_with_another_field_has_another_digest(written: dict[str, Any], seed: int) -> None:
    other = json.loads(json.dumps(written))
    other["spec"]["training"]["seed"] = seed
    written["spec"]["training"]["seed"] = seed + 1
    digests = {plan(decode(yaml.safe_dump(job))).digest() for job in (written, other)}
    assert len(digests) == 2

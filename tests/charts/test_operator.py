"""The operator works with the environment and the rights that the chart gives it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.api.jobs import TRANSFER
from tests.charts.clusters import Space, until
from tests.charts.operators import operator_of


@pytest.mark.parametrize("namespaced", [False, True], ids=["all namespaces", "its own namespace"])
def test_operator_leads_and_makes_the_objects_of_a_job(
    space: Space, tmp_path: Path, namespaced: bool
) -> None:
    space.install({"replicas": 0, "namespaces": [space.name] if namespaced else []})
    with operator_of(space, tmp_path) as operator:
        until(lambda: operator.code("/readyz") == 200)
        [job] = space.create(yaml.safe_load(TRANSFER))
        children = until(lambda: space.get("job", "-lgraft.dev/job=reviews"))
        owners = [each["metadata"]["ownerReferences"][0]["uid"] for each in children]
        assert owners == [job["metadata"]["uid"]]
        assert space.get("networkpolicy", "-lgraft.dev/job=reviews")
        claim = space.get("persistentvolumeclaim", "graft-store")["spec"]
        assert (claim["accessModes"], claim["resources"]["requests"]) == (
            ["ReadWriteMany"],
            {"storage": "100Gi"},
        )
        status = until(lambda: space.get("transferjob", "reviews").get("status"))
        assert [c["status"] for c in status["conditions"] if c["type"] == "Accepted"] == ["True"]
        assert operator.refused() == []

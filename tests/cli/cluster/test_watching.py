"""Watches against a real API server: where they begin, and what they do when it has forgotten."""

from __future__ import annotations

from graft_cli.cluster.api import Api
from graft_cli.cluster.watching import Gone, Quiet, Seen, changes, since
from graft_operator.cluster.requests import Ref
from tests.cli.cluster.stage import Stage


def test_a_version_that_the_server_has_forgotten_asks_for_a_list(stage: Stage) -> None:
    stage.job()
    api = Api(sender=stage.api, namespace=stage.namespace)
    ref = Ref(kind="TransferJob", namespace=stage.namespace, name="reviews")
    assert list(since(api, ref, "1", seconds=5)) == [(None, "")]


def test_a_watch_that_closes_goes_on_where_it_was(stage: Stage) -> None:
    stage.job()
    api = Api(sender=stage.api, namespace=stage.namespace)
    ref = Ref(kind="TransferJob", namespace=stage.namespace, name="reviews")
    told = changes(api, ref, left=lambda: 1.0)
    first = next(told)
    assert isinstance(first, Seen)
    assert next(told) == Quiet()
    stage.status(phase="Running")
    seen = next(change for change in told if not isinstance(change, Quiet))
    assert isinstance(seen, Seen)
    assert seen.raw["status"]["phase"] == "Running"
    stage.graft("rm", "reviews", "--yes")
    gone = next(change for change in told if not isinstance(change, Quiet))
    assert isinstance(gone, Gone)
    told.close()

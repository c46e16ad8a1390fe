"""From what servers count to how well they answered."""

from __future__ import annotations

import pytest

from graft_operator.observed import Answers
from graft_operator.policies.answers import Tally, counted, failed_share, grown, quantile, read

SAID = """\
# HELP graft_serve_requests_total Requests answered
# TYPE graft_serve_requests_total counter
graft_serve_requests_total{code="200",endpoint="/v1/predict",model="m",version="1"} 90.0
graft_serve_requests_total{code="503",endpoint="/v1/predict",model="m",version="1"} 6.0
graft_serve_requests_total{code="422",endpoint="/v1/embeddings",model="m",version="1"} 4.0
graft_serve_requests_total{code="499",endpoint="/v1/predict",model="m",version="1"} 1.0
graft_serve_requests_total{code="503",endpoint="/v2/health/ready",model="",version=""} 77.0
# HELP graft_serve_request_duration_seconds From the end of a prediction's headers to its answer
# TYPE graft_serve_request_duration_seconds histogram
graft_serve_request_duration_seconds_bucket{le="0.1",model="m"} 60.0
graft_serve_request_duration_seconds_bucket{le="0.5",model="m"} 100.0
graft_serve_request_duration_seconds_bucket{le="+Inf",model="m"} 101.0
graft_serve_request_duration_seconds_count{model="m"} 101.0
graft_serve_request_duration_seconds_sum{model="m"} 9.0
"""


def said(requests, failed=0.0):
    return Answers(requests=requests, failed=failed, slots=((0.1, requests), (1.0, requests)))


def test_predictions_count_and_probes_do_not():
    found = read(SAID)
    assert (found.requests, found.failed) == (101, 6)
    assert found.slots == ((0.1, 60), (0.5, 100), (float("inf"), 101))


@pytest.mark.parametrize("text", ["<html>not found</html>", "no metrics {"])
def test_what_is_no_metrics_is_said_to_be_none(text):
    with pytest.raises(ValueError, match=r".+"):
        read(text)


def test_between_two_looks_the_difference_counts():
    assert grown(said(100, 3), said(160, 4)) == said(60, 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, said(30, 2)),  # never seen before
        (said(100, 3), said(30, 2)),  # started anew
        (said(30, 3), said(30, 2)),  # as many requests, other ones
    ],
)
def test_a_server_that_counts_anew_counts_from_nothing(before, after):
    assert grown(before, after) == after


def test_a_window_adds_up_what_its_pods_answer_and_the_next_begins_at_nothing():
    tally = counted(Tally(), "step 1", {"a": said(10), "b": said(5)})
    tally = counted(tally, "step 1", {"a": said(30, 1)})  # b does not answer at the moment
    tally = counted(tally, "step 1", {"a": said(2), "b": said(6)})  # a has started anew
    assert tally.answers == said(10 + 5 + 20 + 2 + 1, 1)
    tally = counted(tally, "step 2", {"a": said(3), "b": said(6)})
    assert tally.answers == said(1)
    assert counted(tally, "step 2", {"c": said(7)}).answers == said(8)


def test_an_operator_that_starts_anew_counts_all_that_the_pods_answered():
    assert counted(Tally(), "step 2", {"a": said(100, 9)}).answers == said(100, 9)


@pytest.mark.parametrize(
    ("slots", "share", "seconds"),
    [
        ((), 0.99, 0.0),
        (((0.1, 0.0), (1.0, 0.0)), 0.99, 0.0),
        (((0.1, 100.0), (1.0, 100.0)), 0.5, 0.05),
        (((0.1, 98.0), (1.1, 100.0)), 0.99, 0.6),
        (((0.1, 99.0), (1.0, 100.0)), 0.99, 0.1),
        (((0.1, 10.0), (1.0, 10.0), (float("inf"), 100.0)), 0.99, 1.0),
    ],
)
def test_a_quantile_lies_evenly_within_its_slot(slots, share, seconds):
    assert quantile(Answers(slots=slots), share) == pytest.approx(seconds)


def test_the_share_of_failures():
    assert failed_share(said(200, 3)) == 0.015
    assert failed_share(Answers()) == 0

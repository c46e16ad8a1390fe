"""What is said of servers, on values written out."""

from __future__ import annotations

import pytest

from benchmarks.serving import figures


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [0.4, 0.1, 0.3, 0.2]
    assert figures.percentile(values, 0.5) == 0.2
    assert figures.percentile(values, 0.99) == 0.4


def test_vectors_that_are_other_ones_make_the_row_void_but_for_int8() -> None:
    found = {"default": [[1.0, 0.0]], "ours": [[0.6, 0.8]], "ours-onnx-int8": [[0.8, 0.6]]}
    means = figures.cosines(found, to="default")
    assert means == pytest.approx({"default": 1.0, "ours": 0.6, "ours-onnx-int8": 0.8})
    assert list(figures.unlike_faults(means, excused=["ours-onnx-int8"])) == [
        "the vectors of ours have a mean cosine of 0.6000, at least 0.999 wanted"
    ]


def test_answers_that_come_later_than_the_defaults_make_the_row_void() -> None:
    p99 = {"default": 1.2, "ours": 0.4, "ours-fp32": 1.3, "tuned": 2.0}
    assert list(figures.late_faults(p99)) == ["p99 of ours-fp32 is 1.300 s, of default 1.200 s"]

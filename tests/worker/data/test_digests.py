"""Rows that repeat and rows of another split, counted in parts that fit into memory."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graft_api.errors import StoreError
from graft_worker.data.digests import Digests

ROWS = st.lists(st.integers(0, 40).map(str), max_size=60)


def of(rows: list[str], *, limit: int) -> Digests:
    made = Digests(limit=limit)
    for row in rows:
        made.add(row.encode())
    return made


@settings(deadline=None, max_examples=80)
@given(rows=ROWS, others=ROWS, limit=st.sampled_from([1, 2, 7, 1000]))
def test_counts_are_those_of_sets_however_little_is_held(
    rows: list[str], others: list[str], limit: int
) -> None:
    with closing(of(rows, limit=limit)) as mine, closing(of(others, limit=2 * limit)) as theirs:
        assert mine.rows == len(rows)
        assert mine.repeated() == len(rows) - len(set(rows))
        assert mine.found_in(theirs) == sum(row in set(others) for row in rows)
        assert mine.found_in(mine) == len(rows)


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(StoreError, match=r"gone: cannot note the 2 rows read so far"):
        of(["a", "b"], limit=2)

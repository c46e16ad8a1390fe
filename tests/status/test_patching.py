"""The merge patch between two statuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graft_operator.status.patching import merge_patch

LEAVES = st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2))
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), LEAVES),
    lambda inner: st.dictionaries(st.sampled_from("abc"), st.one_of(LEAVES, inner)),
    max_leaves=8,
)


def merged(target, patch):
    """RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@given(OBJECTS, OBJECTS)
def test_the_patch_turns_the_old_into_the_new(old, new):
    assert merged(old, merge_patch(old, new)) == new


@given(OBJECTS)
def test_equal_statuses_need_no_patch(status):
    assert merge_patch(status, status) == {}

"""What the cache keeps of custom resources."""

from __future__ import annotations

from dataclasses import replace

from graft_operator.observed import Observed
from graft_operator.shell.cache import Cache
from tests.builders import UID, after, batch, look, subject

JOB = subject(workers={"desired": 2, "env": [{"name": "NAME", "value": "a word: „Wörter“"}]})


def test_a_job_comes_back_as_it_was_put():
    cache, job = Cache(), after(JOB, look(JOB, Observed(store_known=True)))
    assert cache.put(job)
    assert cache.subject(job.key) == job
    assert list(cache.subjects()) == [job]


def test_what_is_done_to_a_job_that_was_taken_out_is_not_done_to_the_kept_one():
    cache = Cache()
    cache.put(JOB)
    taken = cache.subject(JOB.key)
    assert taken is not None
    taken.spec["workers"]["desired"] = 3  # type: ignore[index]
    assert cache.subject(JOB.key) == JOB


def test_only_a_newer_version_or_another_object_of_the_name_is_news():
    cache = Cache()
    newer, other = replace(JOB, version=2), replace(JOB, uid="another", version=1)
    assert [cache.put(s) for s in (JOB, JOB, newer, JOB, other)] == [True, False, True, False, True]
    cache.drop(JOB.key, uid=JOB.uid)
    assert cache.heads() == (replace(other, spec={}, status={}),)
    cache.drop(JOB.key, uid="another")
    assert cache.subject(JOB.key) is None


def test_an_older_batch_job_never_replaces_a_newer_one_and_an_equal_one_is_no_news():
    cache = Cache()
    came = [
        batch(version=1),
        batch(version=4, active=1),
        batch(version=2, failed=1),
        batch(version=6, active=1),
        batch(version=5),
        batch(version=6),
    ]
    assert [cache.put_job(JOB.key, each) for each in came] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert cache.jobs(JOB.key, owner=UID) == (batch(active=1),)
    assert [cache.drop_job(JOB.key, uid="t1") for _ in range(2)] == [True, False]
    assert cache.jobs(JOB.key, owner=UID) == ()

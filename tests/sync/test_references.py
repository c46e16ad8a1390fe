"""A job that starts from what another makes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest

from graft_operator.observed import Observed
from graft_operator.policies import referring
from graft_operator.shell.cache import Cache
from tests.builders import after, condition, look, subject

WIKI = {"kind": "TransferJob", "name": "wiki"}
MADE = {"uri": "/graft/store/artefacts/sha256-1", "digest": "sha256:1"}


def named(name, *, reads=None, **status):
    origin = {"job": {"kind": "TransferJob", "name": reads}} if reads else {"zoo": "minilm-l6-en"}
    job = subject(model={"from": origin})
    return replace(job, name=name, uid=name, status=status)


@pytest.fixture
def seen():
    """Observes the reader with the jobs that a cache holds."""

    def observe(reader, *others):
        cache = Cache()
        for other in (reader, *others):
            cache.put(other)
        return Observed(
            store_known=True,
            referred=referring.referred(reader, cache.subject),
            circle=referring.circle(reader, cache.subject),
        )

    return observe


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((), "spec.model.from.job: there is no TransferJob wiki in this namespace yet; make it"),
        (
            (named("wiki", phase="Running"),),
            "spec.model.from.job: waits for TransferJob wiki, which is Running",
        ),
        (
            (named("wiki"),),
            "spec.model.from.job: waits for TransferJob wiki, which is Pending",
        ),
        (
            (named("wiki", phase="Failed"),),
            "spec.model.from.job: TransferJob wiki has failed; make it anew under the same name",
        ),
        (
            (replace(named("wiki", phase="Complete", artefact=MADE), deleting=True),),
            "spec.model.from.job: there is no TransferJob wiki in this namespace yet; make it",
        ),
    ],
)
def test_a_job_waits_for_the_one_that_it_reads(seen, others, said):
    reader = named("reader", reads="wiki")
    outcome = look(reader, seen(reader, *others))
    assert outcome.create == ()
    assert condition(outcome, "Prepared") == ("False", "WaitingForJob", said)
    assert outcome.status["phase"] == "Pending"
    waits = after(reader, outcome)
    assert look(waits, seen(waits, *others)).status is None


def test_the_artefact_is_written_down_before_anything_is_made_from_it(seen):
    reader, wiki = named("reader", reads="wiki"), named("wiki", phase="Complete", artefact=MADE)
    first = look(reader, seen(reader, wiki))
    assert first.create == ()
    assert first.status["references"] == [WIKI | MADE]
    known = after(reader, first)
    second = look(known, seen(known, wiki))
    job = second.create[-1]
    annotations = job["spec"]["template"]["metadata"]["annotations"]
    origin = json.loads(annotations["graft.dev/resolved-job"])["spec"]["model"]["from"]
    assert origin == {"uri": MADE["uri"]}
    assert second.status["phase"] == "Preparing"


@pytest.mark.parametrize(
    "now",
    [
        (),
        (named("wiki", phase="Running"),),
        (named("wiki", phase="Complete", artefact={"uri": "/else", "digest": "sha256:2"}),),
    ],
    ids=["deleted", "made anew", "made anew with another result"],
)
def test_what_happens_to_the_other_job_later_changes_nothing(seen, now):
    wiki = named("wiki", phase="Complete", artefact=MADE)
    reader = named("reader", reads="wiki")
    known = after(reader, look(reader, seen(reader, wiki)))
    made = partial(look, known)
    assert made(seen(known, *now)).create == made(seen(known, wiki)).create != ()


@pytest.mark.parametrize("length", [1, 2, 3])
def test_jobs_that_wait_for_each_other_are_refused(seen, length):
    names = [f"job-{number}" for number in range(length)]
    ring = [
        named(name, reads=next_) for name, next_ in zip(names, [*names[1:], names[0]], strict=True)
    ]
    outcome = look(ring[0], seen(*ring))
    status, reason, message = condition(outcome, "Failed")
    assert (status, reason) == ("True", "ConfigError")
    way = " reads ".join(f"TransferJob {name}" for name in [*names, names[0]])
    assert message == f"spec.model.from.job: {way}: start one of them from zoo, uri or config"


def test_a_job_that_reads_one_of_a_ring_only_waits(seen):
    ring = [named("a", reads="b"), named("b", reads="a")]
    reader = named("reader", reads="a")
    assert condition(look(reader, seen(reader, *ring)), "Prepared")[1] == "WaitingForJob"


def test_a_paused_job_is_paused_and_does_not_wait(seen):
    reader = named("reader", reads="wiki")
    reader = replace(reader, spec=reader.spec | {"run": {"suspend": True}})
    assert look(reader, seen(reader)).status["phase"] == "Suspended"


def test_the_cache_knows_who_reads_a_job():
    cache = Cache()
    for job in (named("reader", reads="wiki"), named("other", reads="wiki"), named("wiki")):
        cache.put(job)
    readers = cache.readers(named("wiki").key)
    assert sorted(name for _, _, name in readers) == ["other", "reader"]
    assert cache.readers(named("reader").key) == ()

"""A ServeDeployment: its children, its model, and what becomes of a model that is unfit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graft_api.vocabulary import Annotation
from graft_operator.observed import Child, Deployed, Observed, Subject
from graft_operator.policies import referring
from graft_operator.shell.cache import Cache
from tests.builders import START, UID, after, at, condition, look, subject

GOOD, NEWER = "/graft/store/artefacts/sha256-1", "/graft/store/artefacts/sha256-2"
JOB = {"kind": "TransferJob", "name": "wiki"}


def serve(**spec):
    shortest = {"model": {"from": {"uri": GOOD}}, "replicas": 2}
    return Subject(
        kind="ServeDeployment",
        namespace="team",
        name="reviews",
        uid=UID,
        generation=1,
        version=1,
        created=START,
        spec=shortest | spec,
    )


def stamps(bodies):
    notes = {body["kind"]: body["metadata"]["annotations"] for body in bodies}
    return {k: Child(uid=k, stamp=n[str(Annotation.OBJECT)]) for k, n in notes.items()}


def pods(ready, *, wanted=2, **facts):
    given = {"replicas": wanted, "updated": ready, "ready": ready, "available": ready}
    return Deployed(wanted=wanted, current=True, **(given | facts))


def begun(deployment):
    """The deployment after its first look, and its children as they were made."""
    first = look(deployment, Observed())
    return after(deployment, first), stamps(first.create)


def stands(deployment):
    """The deployment once its model answers, and its children."""
    known, children = begun(deployment)
    done = look(known, Observed(children=children, deployed=pods(2)), now=at(10))
    return after(known, done), children


def changed(known, **spec):
    return replace(known, spec=known.spec | spec, generation=known.generation + 1)


def arguments(body):
    return body["spec"]["template"]["spec"]["containers"][0]["args"]


def test_a_new_deployment_gets_its_children():
    outcome = look(serve(), Observed())
    assert [(b["kind"], b["metadata"]["name"]) for b in outcome.create] == [
        ("NetworkPolicy", "reviews-serve"),
        ("Service", "reviews-serve"),
        ("PodDisruptionBudget", "reviews-serve"),
        ("Deployment", "reviews-serve"),
    ]
    assert arguments(outcome.create[3])[:3] == [GOOD, "--name", "reviews"]
    assert condition(outcome, "Ready")[:2] == ("False", "NoReplicas")
    assert outcome.status["rollout"]["state"] == "Preparing"
    assert outcome.status["url"] == "http://reviews-serve.team.svc"
    assert [event.reason for event in outcome.events] == ["RollingOut"]


def test_a_model_that_answers_is_told_once_and_then_nothing_is_written():
    known, children = begun(serve())
    assert look(known, Observed(children=children), now=at(1)).status is None
    seen = Observed(children=children, deployed=pods(2))
    done = look(known, seen, now=at(10))
    assert not done.acts
    assert condition(done, "Ready")[:2] == ("True", "AsPlanned")
    assert done.status["model"]["uri"] == GOOD
    assert done.status["rollout"] == {"state": "Stable"}
    assert (done.status["readyReplicas"], done.status["display"]["ready"]) == (2, "2/2")
    assert [event.reason for event in done.events] == ["RolledOut"]
    quiet = look(after(known, done), seen, now=at(30))
    assert (quiet.status, quiet.acts, quiet.events) == (None, False, ())
    assert quiet.wake == at(45)


def test_a_lost_child_is_made_again_and_a_changed_one_is_put_right():
    known, children = stands(serve())
    service = children.pop("Service")
    lost = look(known, Observed(children=children, deployed=pods(2)), now=at(60))
    assert [body["kind"] for body in lost.create] == ["Service"]
    bent = children | {"Service": replace(service, stamp="else")}
    mended = look(known, Observed(children=bent, deployed=pods(2)), now=at(60))
    assert [(p.kind, p.uid) for p in mended.patch] == [("Service", "Service")]


def test_another_size_changes_the_deployment_alone():
    known, children = stands(serve())
    more = look(changed(known, replicas=3), Observed(children=children, deployed=pods(2)))
    assert [p.kind for p in more.patch] == ["Deployment"]
    assert more.patch[0].body["spec"]["replicas"] == 3
    assert more.create == more.delete == ()
    assert more.status["rollout"] == {"state": "Stable"}


def test_a_lone_pod_has_no_budget():
    known, children = stands(serve())
    one = look(changed(known, replicas=1), Observed(children=children, deployed=pods(2)))
    assert [(d.kind, d.uid) for d in one.delete] == [("PodDisruptionBudget", "PodDisruptionBudget")]


def test_an_autoscaler_says_how_many_there_are():
    scaling = {"min": 1, "max": 4, "target": {"cpu": 70}}
    made = {b["kind"]: b for b in look(serve(autoscaling=scaling), Observed()).create}
    assert "replicas" not in made["Deployment"]["spec"]
    spec = made["HorizontalPodAutoscaler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 4)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


def rolling():
    """A second model on its way, the children as patched for it."""
    known, children = stands(serve())
    new = changed(known, model={"from": {"uri": NEWER}})
    first = look(new, Observed(children=children, deployed=pods(2)), now=at(100))
    (patch,) = first.patch
    assert arguments(patch.body)[0] == NEWER
    moved = children | stamps([patch.body])
    return after(new, first), children, moved


def test_a_new_model_takes_over_when_all_its_pods_answer():
    known, _, moved = rolling()
    half = Observed(children=moved, deployed=pods(2, updated=1, replicas=3))
    waits = look(known, half, now=at(110))
    assert not waits.acts
    assert (after(known, waits).status["model"]["uri"]) == GOOD
    done = look(known, Observed(children=moved, deployed=pods(2)), now=at(120))
    assert done.status["model"]["uri"] == NEWER
    assert done.status["rollout"] == {"state": "Stable"}


def test_an_unfit_model_is_taken_back_and_stays_away_until_the_spec_changes():
    known, children, moved = rolling()
    unfit = Observed(
        children=moved, deployed=pods(2, updated=1, replicas=3), broken="weights are damaged"
    )
    back = look(known, unfit, now=at(110))
    assert arguments(back.patch[0].body)[0] == GOOD
    assert condition(back, "Degraded")[:2] == ("True", "RolledBack")
    assert "weights are damaged" in condition(back, "Degraded")[2]
    assert condition(back, "Ready")[:2] == ("False", "RolledBack")
    assert condition(back, "Available")[0] == "True"
    assert [event.reason for event in back.events] == ["RolledBack"]
    again = after(known, back)
    settled = Observed(children=children, deployed=pods(2))
    assert not look(again, settled, now=at(130)).acts
    mended = look(changed(again, model={"from": {"uri": GOOD}}), settled, now=at(140))
    assert not mended.acts
    assert condition(mended, "Ready")[0] == "True"


def test_a_model_that_never_answers_is_taken_back():
    known, _, moved = rolling()
    silent = Observed(children=moved, deployed=pods(2, updated=1, replicas=3))
    assert not look(known, silent, now=at(690)).acts
    back = look(known, silent, now=at(710))
    assert arguments(back.patch[0].body)[0] == GOOD
    assert "10 minutes" in condition(back, "Degraded")[2]


def test_the_first_model_of_all_has_nothing_to_go_back_to():
    known, children = begun(serve())
    unfit = Observed(children=children, deployed=pods(0), broken="weights are damaged")
    told = look(known, unfit, now=at(5))
    assert not told.acts
    assert condition(told, "Degraded")[:2] == ("True", "ModelUnfit")


@pytest.fixture
def referred():
    def observe(deployment, *others, **seen):
        cache = Cache()
        for other in others:
            cache.put(other)
        return Observed(referred=referring.looked_up(deployment, cache.subject), **seen)

    return observe


def wiki(**status):
    return replace(subject(), name="wiki", uid="wiki", status=status)


def made(uri, digest):
    return wiki(phase="Complete", artefact={"uri": uri, "digest": digest})


def test_a_job_is_waited_for_and_then_kept_to(referred):
    waits = serve(model={"from": {"job": JOB}})
    first = look(waits, referred(waits, wiki(phase="Running")))
    assert first.create == ()
    assert condition(first, "Ready")[:2] == ("False", "WaitingForJob")
    assert "waits for TransferJob wiki, which is Running" in condition(first, "ModelLoaded")[2]
    known = after(waits, first)
    found = look(known, referred(known, made(GOOD, "sha256:1")))
    assert arguments(found.create[-1])[0] == GOOD
    known, children = after(known, found), stamps(found.create)
    there = {"children": children, "deployed": pods(2)}
    known = after(known, look(known, referred(known, made(GOOD, "sha256:1"), **there)))
    assert known.status["model"]["digest"] == "sha256:1"
    later = look(known, referred(known, made(NEWER, "sha256:2"), **there), now=at(60))
    assert (later.acts, later.status) == (False, None)
    scaled = look(changed(known, replicas=1), referred(known, made(NEWER, "sha256:2"), **there))
    assert arguments(scaled.patch[0].body)[0] == GOOD


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"runtime": {"name": "openvino"}}, "spec.runtime.name"),
        ({"model": {"from": {"uri": "s3://bucket/model"}}}, "spec.model.from.uri"),
        (
            {"autoscaling": {"max": 4, "target": {"requestsPerSecond": 8}}},
            "spec.autoscaling.target.requestsPerSecond",
        ),
    ],
)
def test_what_this_version_cannot_do_is_refused_by_name(spec, field):
    outcome = look(serve(**spec), Observed())
    assert outcome.create == ()
    status, reason, message = condition(outcome, "Accepted")
    assert (status, reason) == ("False", "Invalid")
    assert field in message


def test_no_pods_prove_no_model():
    known, children = begun(serve(replicas=0))
    seen = Observed(children=children, deployed=Deployed(current=True))
    later = look(known, seen, now=at(10_000))
    assert not later.acts
    assert condition(later, "Available")[:2] == ("False", "ScaledToZero")
    assert "model" not in later.status

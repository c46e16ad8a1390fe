"""One attempt at one stage: everything that its objects depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graft_api.plan import Plan, Stage
from graft_api.vocabulary import API_VERSION, Label, Role
from graft_operator.observed import Subject
from graft_operator.settings import Settings

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The stage of the plan, its number and size, and what the administrator chose."""

    subject: Subject
    plan: Plan
    stage: Stage
    number: int
    settings: Settings
    size: int = 1  # workers that it starts with
    store_known: bool = True  # the store's claim is there and need not be made
    control_hash: str = ""  # SHA-256 of the token that may ask for a checkpoint

    @property
    def role(self) -> Role:
        """What its pods are."""
        return Role.WORKER if self.stage.name == "train" else Role.PREPARE

    @property
    def elastic(self) -> bool:
        """Whether workers may come and go."""
        return self.stage.gang.min < self.stage.gang.max

    @property
    def gang(self) -> bool:
        """Whether there may be more than one worker, so that they have to find each other."""
        return self.stage.name == "train" and self.stage.gang.max > 1

    @property
    def name(self) -> str:
        """Name of the batch Job: a new attempt is a new name."""
        return f"{self.subject.name}-{'t' if self.stage.name == 'train' else 'p'}{self.number}"

    @property
    def store_name(self) -> str:
        """Name of the rendezvous store's pod and Service."""
        return f"{self.subject.name}-r{self.number}"

    @property
    def run(self) -> dict[str, Any]:
        """`spec.run` as the user wrote it."""
        return dict(self.subject.spec.get("run") or {})


def labels(attempt: Attempt, role: str) -> dict[str, str]:
    """Labels of a child, by which it is found again."""
    return job_labels(attempt.subject) | {Label.ATTEMPT: str(attempt.number), Label.ROLE: role}


def job_labels(subject: Subject) -> dict[str, str]:
    """Labels of everything that belongs to the job."""
    return {
        Label.JOB: subject.name,
        Label.KIND: subject.kind,
        Label.UID: subject.uid,
        "app.kubernetes.io/managed-by": "graft-operator",
    }


def selector(subject: Subject) -> dict[str, str]:
    """Labels by which the pods of a job are chosen."""
    return {Label.JOB: subject.name, Label.KIND: subject.kind}


def meta(attempt: Attempt, name: str, labelled: dict[str, str]) -> Object:
    """Metadata of a child of the attempt's job."""
    return owned(attempt.subject, name, labelled)


def owned(subject: Subject, name: str, labelled: dict[str, str]) -> Object:
    """Metadata of a child: owned by the custom resource, so that it goes with it."""
    return {
        "name": name,
        "namespace": subject.namespace,
        "labels": dict(sorted(labelled.items())),
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": subject.kind,
                "name": subject.name,
                "uid": subject.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }

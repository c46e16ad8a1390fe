"""Pods that find no node, no image, no volume, no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from graft_api.vocabulary import Role
from graft_operator.observed import Pod

from .facts import Cause, Facts, duration, sentence

PULLING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
UNAUTHORIZED = re.compile(
    r"unauthori[sz]ed|denied|forbidden|authentication required|\b40[13]\b", re.I
)
ABSENT = re.compile(r"not found|manifest unknown|does not exist|no such", re.I)
UNREACHED = re.compile(r"timeout|timed out|no such host|connection refused|i/o|unreachable", re.I)
INSUFFICIENT = re.compile(r"Insufficient ([\w./-]*\w)")
TAINT = re.compile(r"untolerated taint\(?s?\)? ?(\{[^}]*\})?")
REFERENCE = re.compile(r'(secret|configmap|persistentvolumeclaim|configMap) "([^"]+)"', re.I)
KEY = re.compile(r"couldn't find key (\S+) in (?:Secret|ConfigMap) (\S+)")
UNSCHEDULED_SECONDS = 30.0


def claim_missing(facts: Facts) -> Cause | None:
    """A claim that a URI or the store names does not exist."""
    for pod, text in _held_by_scheduler(facts):
        if (found := re.search(r'persistentvolumeclaim "([^"]+)" not found', text)) is not None:
            return Cause(
                name="ClaimMissing",
                says=f"Pod {pod.name} needs claim {found[1]}, and {facts.namespace} has none.",
                do=(
                    "correct the pvc:// of the file, or make the claim",
                    f"kubectl -n {facts.namespace} get pvc",
                ),
            )
    return None


def claim_unbound(facts: Facts) -> Cause | None:
    """A claim has no volume yet."""
    marks = ("unbound immediate PersistentVolumeClaim", "waiting for a volume", "volume binding")
    if not any(any(mark in text for mark in marks) for _, text in _held_by_scheduler(facts)):
        return None
    pending = _pending_claims(facts)
    names = ", ".join(pending) or "one of its claims"
    why = next((e.note for e in facts.events if e.about.split("/")[-1] in pending), "")
    return Cause(
        name="VolumePending",
        says=f"The pods wait for a volume: claim {names} is not bound"
        + (f": {sentence(why)}." if why else "."),
        do=(
            f"kubectl -n {facts.namespace} describe pvc",
            "the store needs a storage class that can do ReadWriteMany",
        ),
    )


def no_gpu(facts: Facts) -> Cause | None:
    """No node has that many accelerators free."""
    resources = (facts.spec.get("workers") or {}).get("resources") or {}
    wanted = resources.get("gpuResource", "nvidia.com/gpu")
    for pod, text in _held_by_scheduler(facts):
        if wanted in INSUFFICIENT.findall(text):
            return Cause(
                name="InsufficientGPU",
                says=(
                    f"No node has {resources.get('gpu', 1)} {wanted} free for pod {pod.name}:"
                    f" {sentence(text)}."
                ),
                do=(
                    "wait for others to end, or lower workers.resources.gpu or workers.desired",
                    "kubectl describe nodes | grep -A8 Allocatable",
                ),
            )
    return None


def no_room(facts: Facts) -> Cause | None:
    """No node has the cores or the memory free."""
    for pod, text in _held_by_scheduler(facts):
        if missing := sorted(set(INSUFFICIENT.findall(text))):
            return Cause(
                name="Insufficient",
                says=(
                    f"No node has enough {' and '.join(missing)} free for pod {pod.name}:"
                    f" {sentence(text)}."
                ),
                do=(f"wait for others to end, or lower {_wishes(pod)}",),
            )
    return None


def tainted(facts: Facts) -> Cause | None:
    """The nodes that there are keep such pods away."""
    marks = ("untolerated taint", "didn't match Pod's node affinity", "didn't match pod anti")
    for pod, text in _held_by_scheduler(facts):
        if any(mark in text for mark in marks):
            return Cause(
                name="NoFittingNode",
                says=f"No node takes pod {pod.name}: {sentence(text)}.",
                do=("add tolerations or a node selector by workers.podTemplate",),
            )
    return None


def unschedulable(facts: Facts) -> Cause | None:
    """Whatever else the scheduler says."""
    for pod, text in _held_by_scheduler(facts):
        return Cause(
            name="Unschedulable",
            says=f"Pod {pod.name} finds no node: {sentence(text)}.",
            do=(f"kubectl -n {facts.namespace} describe pod {pod.name}",),
        )
    return None


def no_scheduler(facts: Facts) -> Cause | None:
    """Nobody has looked for a node at all."""
    for pod in facts.waiting():
        idle = (facts.now - pod.created).total_seconds()
        if not pod.node and not pod.unscheduled and idle > UNSCHEDULED_SECONDS:
            return Cause(
                name="NotScheduled",
                says=f"Nobody has looked for a node for pod {pod.name} for {duration(idle)}.",
                do=("see that the scheduler runs", "see schedulerName in workers.podTemplate"),
            )
    return None


def image_missing(facts: Facts) -> Cause | None:
    """There is no such image."""
    return _image(
        facts,
        ABSENT,
        name="ImageMissing",
        says="There is no such image",
        do="correct the name and the tag",
    )


def image_forbidden(facts: Facts) -> Cause | None:
    """The registry wants to know who pulls."""
    return _image(
        facts,
        UNAUTHORIZED,
        name="ImageForbidden",
        says="The registry does not let the nodes pull the image",
        do="name a pull secret in workers.podTemplate.spec.imagePullSecrets, or in the chart",
    )


def image_unreached(facts: Facts) -> Cause | None:
    """The registry does not answer."""
    return _image(
        facts,
        UNREACHED,
        name="RegistryUnreachable",
        says="The nodes do not reach the registry",
        do="see the network of the nodes, and whether the registry's name is right",
    )


def image_other(facts: Facts) -> Cause | None:
    """Any other trouble with the image."""
    return _image(
        facts,
        re.compile(""),
        name="ImagePull",
        says="The image cannot be used",
        do="correct it",
    )


def reference_missing(facts: Facts) -> Cause | None:
    """A secret or a config map, or a key in it, does not exist."""
    for pod, text in _unstarted(facts):
        if key := KEY.search(text):
            return Cause(
                name="KeyMissing",
                says=f"Pod {pod.name} needs key {key[1]} of {key[2].split('/')[-1]}: it has none.",
                do=("correct workers.env, or add the key",),
            )
        found = REFERENCE.search(text)
        if found and "not found" in text:
            kind, name = found[1].lower(), found[2].split("/")[-1]
            return Cause(
                name=f"{'Secret' if kind == 'secret' else 'ConfigMap'}Missing",
                says=f"Pod {pod.name} needs {kind} {name}, and {facts.namespace} has none.",
                do=(
                    f"make it: kubectl -n {facts.namespace} create {_making(kind)} {name} ...",
                    "or correct the name in workers.env, data.*.credentials or configmap://",
                ),
            )
    return None


def mount_failed(facts: Facts) -> Cause | None:
    """A volume cannot be mounted on the node."""
    names = {f"Pod/{pod.name}" for pod in facts.waiting()}
    for event in facts.events:
        if event.about in names and event.reason in ("FailedMount", "FailedAttachVolume"):
            pod = event.about.split("/")[-1]
            return Cause(
                name=event.reason,
                says=f"A volume of pod {pod} does not come: {sentence(event.note)}.",
                do=(f"kubectl -n {facts.namespace} get pvc,events",),
            )
    return None


def container_failed(facts: Facts) -> Cause | None:
    """The container cannot be started."""
    broken = (
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "StartError",
    )
    for pod in facts.current():
        reason = pod.waiting if pod.waiting in broken else pod.reason
        if reason in (*broken, "ContainerCannotRun"):
            said = sentence(pod.waiting_message or pod.words or reason)
            return Cause(
                name=reason,
                says=f"The container of pod {pod.name} cannot start: {said}.",
                do=(
                    "see workers.image and workers.podTemplate: command, mounts, security context",
                ),
            )
    return None


def _held_by_scheduler(facts: Facts) -> Iterator[tuple[Pod, str]]:
    return ((pod, pod.unscheduled) for pod in facts.waiting() if pod.unscheduled)


def _unstarted(facts: Facts) -> Iterator[tuple[Pod, str]]:
    """What is said of pods that have a node and do not start."""
    for pod in facts.waiting():
        yield pod, pod.waiting_message
        yield from ((pod, e.note) for e in facts.events if e.about == f"Pod/{pod.name}")


def _pending_claims(facts: Facts) -> list[str]:
    claims = (facts.claims or {}).items()
    return [name for name, raw in claims if (raw.get("status") or {}).get("phase") == "Pending"]


def _image(
    facts: Facts, pattern: re.Pattern[str], *, name: str, says: str, do: str
) -> Cause | None:
    for pod in facts.waiting():
        if pod.waiting not in PULLING:
            continue
        text = _pull_words(facts, pod)
        if pattern.search(text):
            return Cause(
                name=name,
                says=f"{says}: pod {pod.name}: {sentence(text)}.",
                do=(do, _whose_image(facts)),
            )
    return None


def _whose_image(facts: Facts) -> str:
    """Where the image was named: in the file, or else by who installed the operator."""
    if facts.noun == "deployment":
        return "the image of servers is the chart's value `serve.image`"
    if (facts.spec.get("workers") or {}).get("image"):
        return "workers.image is fixed: submit under another name"
    return "the file names no workers.image: it is the chart's value `worker.image`"


def _wishes(pod: Pod) -> str:
    if pod.role == Role.PREPARE:
        return "data.prepare.resources"
    return "workers.resources or workers.desired"


def _pull_words(facts: Facts, pod: Pod) -> str:
    """The kubelet's first complaint says more than the back-off that follows it."""
    notes = [e.note for e in facts.events if e.about == f"Pod/{pod.name}" and e.reason == "Failed"]
    full = next((note for note in notes if "Failed to pull" in note), "")
    return full or pod.waiting_message or pod.waiting


def _making(kind: str) -> str:
    return "secret generic" if kind == "secret" else "configmap"

"""Whom the student learns from: an artefact, and whether it fits the job; needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from graft_api.app import canonical
from graft_api.errors import ConfigError
from graft_worker.apps import registry
from graft_worker.apps.networks import BICNN, TEXTCNN
from graft_worker.export import artefact as artefacts
from graft_worker.models.folders import read_config

if TYPE_CHECKING:
    from graft_api.distilljob import DistillJobSpec
    from graft_worker.data.prepared import Problem
    from graft_worker.export.artefact import Artefact

_WITHOUT_LAYERS = (TEXTCNN.model_type, BICNN.model_type)
_AT = "spec.teacher.from.uri"
_REMEDY = "name the artefact of a TransferJob: its status says artefact.uri"


def found(spec: DistillJobSpec) -> Artefact:
    """The teacher's artefact, whole and of the job's app.

    Raises:
        ConfigError: there is none, it is not the pinned one, or it does not fit the job.
        StoreError: it is damaged.
    """
    if job := spec.teacher.from_.job:
        raise ConfigError(
            f"spec.teacher.from.job: what {job.kind} {job.name} has made is not known here",
            hint="`graft run` finds it in its store; `graft validate --no-data` checks the file"
            " alone",
        )
    folder = folder_of(spec.teacher.from_.uri or "")
    teacher = artefacts.load(folder)
    pinned = spec.teacher.revision
    if pinned is not None and pinned != teacher.digest:
        raise ConfigError(
            f"spec.teacher.revision: pinned to {pinned}, but {folder} has {teacher.digest}",
            hint="take the pin away to learn from this one, or restore the pinned one",
        )
    if teacher.problem is None:
        raise ConfigError(f"{_AT}: {folder}: knows no task", hint=_REMEDY)
    _check_app(spec, teacher, teacher.problem)
    check_layers(spec, folder, "spec.teacher.from")
    return teacher


def check_layers(spec: DistillJobSpec, folder: Path, field: str) -> None:
    """Refuses a model without layers to put probes on.

    Raises:
        ConfigError: as said; it names the field.
    """
    family = read_config(folder).get("model_type")
    if spec.method.name == "probes" and family in _WITHOUT_LAYERS:
        raise ConfigError(
            f"{field}: {folder} is a {family}, which has no layers for method probes",
            hint="use method vanilla, which needs no layers",
        )


def folder_of(uri: str) -> Path:
    """The folder that a path or a file:// URI names.

    Raises:
        ConfigError: it is no artefact's.
    """
    scheme, _, path = uri.partition("://") if "://" in uri else ("file", "", uri)
    if scheme != "file":
        raise ConfigError(f"{_AT}: {uri}: cannot be read here", hint="use a folder or file://")
    folder = Path(unquote(path) if "://" in uri else path)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ConfigError(f"{_AT}: {folder} {what}", hint=_REMEDY)
    if not (folder / "MANIFEST.json").is_file():
        raise ConfigError(f"{_AT}: {folder}: no artefact: it has no MANIFEST.json", hint=_REMEDY)
    return folder


def _check_app(spec: DistillJobSpec, teacher: Artefact, problem: Problem) -> None:
    app = canonical(spec.app)
    if app.name != teacher.app:
        raise ConfigError(
            f"spec.app.name: {app.name}, but the teacher was trained for {teacher.app}",
            hint=f"set it to {teacher.app}, or take another teacher",
        )
    wish = registry.wish(app)
    if wish.problem not in ("auto", problem):
        raise ConfigError(
            f"spec.app.params.problem: {wish.problem}, but the teacher's is {problem}",
            hint="leave it out: the teacher knows",
        )
    if wish.labels and wish.labels != teacher.labels:
        raise ConfigError(
            f"spec.app.labels: {', '.join(wish.labels)}, but the teacher's are"
            f" {', '.join(teacher.labels)}, in this order",
            hint="leave them out: the teacher knows",
        )
    _check_loss(spec, problem)


def _check_loss(spec: DistillJobSpec, problem: Problem) -> None:
    asked = spec.method.vanilla
    if problem == "regression" and asked is not None and asked.loss != "mse":
        raise ConfigError(
            f"spec.method.vanilla.loss: {asked.loss} compares distributions, but the teacher"
            " answers with a number",
            hint="set it to mse",
        )

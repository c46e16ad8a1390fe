"""Whom the student learns from: a model, and whether it fits the job; needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from graft_api.app import canonical
from graft_api.errors import ConfigError
from graft_worker.apps import registry
from graft_worker.apps.networks import BICNN, TEXTCNN
from graft_worker.export import artefact as artefacts
from graft_worker.export import manifest
from graft_worker.models import zoo as zoos
from graft_worker.models.folders import CONFIG, read_config
from graft_worker.models.zoo_entries import ENTRIES
from graft_worker.run.kinds.distilljob import tuned
from graft_worker.run.kinds.distilljob.naming import of_teacher

if TYPE_CHECKING:
    from graft_api.distilljob import DistillJobSpec
    from graft_worker.data.prepared import Problem
    from graft_worker.export.artefact import Artefact

_WITHOUT_LAYERS = (TEXTCNN.model_type, BICNN.model_type)
_URI, _ZOO = "spec.teacher.from.uri", "spec.teacher.from.zoo"
_REMEDY = "name the artefact of a TransferJob: its status says artefact.uri"


def found(spec: DistillJobSpec, *, zoo: Path | None) -> Artefact:
    """The teacher, whole and of the job's app; `zoo` is the folder of GRAFT_ZOO.

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
    field = _ZOO if spec.teacher.from_.zoo else _URI
    folder = _folder(spec, zoo)
    ours = (folder / manifest.NAME).is_file()
    teacher = artefacts.load(folder) if ours else tuned.read(folder, spec, field=field)
    pinned = spec.teacher.revision
    if pinned is not None and pinned != teacher.digest:
        raise ConfigError(
            f"spec.teacher.revision: pinned to {pinned}, but {folder} has {teacher.digest}",
            hint="take the pin away to learn from this one, or restore the pinned one",
        )
    if teacher.problem is None:
        raise ConfigError(f"{field}: {folder}: knows no task", hint=_REMEDY)
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


def _folder(spec: DistillJobSpec, zoo: Path | None) -> Path:
    name = spec.teacher.from_.zoo
    return _of_zoo(name, zoo) if name else _of_uri(spec.teacher.from_.uri or "")


def _of_zoo(name: str, zoo: Path | None) -> Path:
    """The folder that somebody put there: what the zoo brings by itself is only pretrained."""
    if (folder := zoos.put(name, zoo=zoo)) is not None:
        return folder
    if name in ENTRIES:
        raise ConfigError(
            f"{_ZOO}: {name} has no head: it knows no task yet",
            hint=f"{tuned.FIRST}; or put a model that has one into <zoo>/{name}/ and set GRAFT_ZOO",
        )
    with of_teacher():
        return zoos.resolve(name, zoo=zoo)


def _of_uri(uri: str) -> Path:
    scheme, _, path = uri.partition("://") if "://" in uri else ("file", "", uri)
    if scheme != "file":
        raise ConfigError(f"{_URI}: {uri}: cannot be read here", hint="use a folder or file://")
    folder = Path(unquote(path) if "://" in uri else path)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ConfigError(f"{_URI}: {folder} {what}", hint=_REMEDY)
    if not any((folder / name).is_file() for name in (manifest.NAME, CONFIG)):
        raise ConfigError(
            f"{_URI}: {folder}: no model: it has neither {manifest.NAME} nor {CONFIG}",
            hint=_REMEDY,
        )
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

"""What an artefact is made of, as one value that `artefact.publish` writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graft_worker.data.prepared import Problem

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The model that training began with: as the job names it, and the digest it resolved to."""

    name: str
    digest: str
    random: bool = False  # started from a config, not from weights


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """One split of the data, as the card states it."""

    split: str  # train, validation, test
    source: str  # URI as in the job
    sha256: str  # of the files' bytes
    rows: int
    histogram: Mapping[str, int] = field(default_factory=dict)  # label -> rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The metrics of one split that training did not see."""

    split: str
    rows: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A student and its teacher on the same split."""

    split: str
    metric: str
    teacher: float
    student: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """One example and the logits that the published weights give for it in fp32."""

    inputs: Mapping[str, str]  # role -> text
    logits: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the card says of a model that has no app."""

    kind: str  # of the job
    pipeline: str  # the library's name of what the model is for
    about: str  # how it was trained
    loader: str  # the library's class that reads it
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that goes into an artefact. Nothing in it tells when or where it was made."""

    job: str  # name of the job
    owner: str = ""  # folder name of the job in the store; default: the job's name
    spec: Mapping[str, Any]  # the resolved job, defaults written out
    app: str = ""  # empty: the model is none of an app's
    variant: str = ""
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)  # spec.app.params
    problem: Problem | None = None
    labels: tuple[str, ...] = ()
    columns: Mapping[str, str]  # role -> column of the training file
    max_length: int  # tokens, as trained
    config: Mapping[str, Any]  # Hugging Face's config.json
    weights: Mapping[str, Tensor]  # under Hugging Face's names
    tokenizer: str  # the text of tokenizer.json
    origin: Origin
    data: tuple[DataFacts, ...]
    results: tuple[Result, ...]  # the first is the one that chose the model
    golden: tuple[Golden, ...] = ()
    profile: Mapping[str, Any]  # see profile.py
    versions: Mapping[str, str]  # package -> version
    words: Words | None = None  # where there is no app
    teacher: str = ""  # digest of the artefact that a student has learned from
    comparison: Comparison | None = None  # with that teacher

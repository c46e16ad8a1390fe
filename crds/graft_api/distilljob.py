"""DistillJob: a small student learns a task from a teacher."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from . import scalars as s
from .app import App
from .data import Data, Dataset, NamedDataset
from .distillation import Distillation
from .jobspec import JOB_RULES, JobSpec
from .jobstatus import JobDisplay, JobStatus, Word
from .model import JobReference, Model, Origin, Tokenizer
from .resource import SHORT_NAME, ApiVersion, ObjectMeta, Shown, columns
from .rules import ATOMIC, Observed, Part, Rule, exactly_one
from .training import Length


class TeacherOrigin(Part):
    """Where the teacher comes from; exactly one."""

    zoo: s.Short | None = None
    """Name in the model zoo, of a model with a head: what is only pretrained knows no task."""
    uri: s.Uri | None = None
    """Folder in Hugging Face layout with a head, or an artefact of this project."""
    job: JobReference | None = None
    """Artefact of another job; this one waits until that one is Complete."""

    rules = (exactly_one("zoo", "uri", "job"),)
    schema_extra = ATOMIC


class TeacherTraining(Part):
    """Fine-tuning of the teacher before the student begins."""

    duration: Length = Field(default_factory=lambda: Length(epochs=3))
    """How long; default 3 epochs."""
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 2e-5
    """Peak learning rate; default 2e-5."""


class Teacher(Part):
    """The model that is learnt from."""

    from_: TeacherOrigin
    """Where the teacher comes from; exactly one of zoo, uri, job."""
    revision: s.Digest | None = None
    """Pin: weights of another digest are refused. Absent: any."""
    finetune: TeacherTraining | None = None
    """Fine-tunes the teacher on data.train first; absent: it is taken as it is."""
    outputs: Literal["auto", "cached", "online"] = "auto"
    """Whether its answers are computed once or in every step; auto caches what is small."""


class TeacherLayers(Part):
    """Some of the teacher's own layers, with its embeddings and its head."""

    layers: Annotated[int, Field(ge=1, le=512)]
    """How many; evenly spaced, the last is always among them."""


class StudentOrigin(Origin):
    """Where the student starts from; exactly one."""

    teacher: TeacherLayers | None = None
    """Some of the teacher's own layers, with its embeddings and its head."""

    rules = (exactly_one("zoo", "uri", "job", "config", "teacher"),)


class Student(Model):
    """The model that learns."""

    from_: StudentOrigin
    """Where it starts from; exactly one of zoo, uri, job, config, teacher."""
    tokenizer: Tokenizer | None = None
    """Another tokenizer; absent: the model's own, or the teacher's for random weights."""


class DistillData(Data):
    """Examples, kept apart by use, so that no selector sees the reporting split."""

    source: Annotated[
        tuple[NamedDataset, ...], Field(max_length=16, json_schema_extra=s.LIST_BY_NAME)
    ] = ()
    """Domains that the teacher of metakd learns from; default: none."""
    unlabelled: Dataset | None = None
    """Examples without labels that the teacher answers; absent: none."""


class DistillJobSpec(JobSpec):
    """Who learns what from whom; all but a few fields are fixed once the job exists."""

    app: App
    """What the models are for."""
    teacher: Teacher
    """The model that is learnt from."""
    student: Student | None = None
    """The small model; absent only for adabert, which searches it."""
    method: Distillation = Field(default_factory=Distillation)
    """How the student learns; default: vanilla."""
    data: DistillData
    """Examples, kept apart by use."""

    rules = (
        Rule(
            "has(self.student) != (self.method.name == 'adabert')",
            "student is required, but for method adabert, which searches its own",
            lambda spec: (spec.student is not None) != (spec.method.name == "adabert"),
            at="student",
        ),
        Rule(
            "self.method.name == 'metakd' || size(self.data.source) == 0",
            "data.source has no effect with this method",
            lambda spec: spec.method.name == "metakd" or not spec.data.source,
            at="data.source",
        ),
        *JOB_RULES,
    )


class Comparison(Observed):
    """The student against the teacher, on the same split."""

    metric: Annotated[str, Field(max_length=64)] | None = None
    """Metric that was compared."""
    teacher: Annotated[str, Field(max_length=64)] | None = None
    """The teacher's value as text."""
    student: Annotated[str, Field(max_length=64)] | None = None
    """The student's value as text."""
    size_ratio: s.Weight | None = None
    """Parameters of the teacher for one of the student."""
    speed_ratio: s.Weight | None = None
    """Measured time of the teacher for the same texts, divided by the student's."""


class DistillDisplay(JobDisplay):
    """Texts for the columns of kubectl."""

    teacher: Word | None = None
    """Model that is learnt from."""
    student: Word | None = None
    """Model that learns."""
    ratio: Word | None = None
    """How much smaller and faster the student is."""


class DistillJobStatus(JobStatus):
    """What was observed of the job; nothing here is for users to write."""

    comparison: Comparison | None = None
    """The student against the teacher, on the same split."""
    display: DistillDisplay | None = None
    """Texts for the columns of kubectl."""


class DistillJob(Part):
    """Distils a teacher into a smaller student."""

    api_version: ApiVersion
    """Group and version."""
    kind: Literal["DistillJob"]
    """Kind."""
    metadata: ObjectMeta
    """Name, labels and annotations."""
    spec: DistillJobSpec
    """Who learns what from whom; all but a few fields are fixed once the job exists."""
    status: DistillJobStatus | None = None
    """What was observed of the job."""

    rules = (SHORT_NAME,)
    mutable = ("api_version", "kind", "metadata", "status")  # the server's own business
    shown: ClassVar[Shown] = Shown(
        short_name="distill",
        selectable=(".spec.app.name", ".spec.method.name", ".status.phase"),
        columns=columns(
            """
            Phase .status.phase
            Teacher .status.display.teacher
            Workers .status.display.workers
            Progress .status.display.progress
            Metric .status.display.metric
            ETA .status.display.remaining
            Age .metadata.creationTimestamp date
            """,
            """
            Student .status.display.student
            Ratio .status.display.ratio
            Step .status.display.step
            Ckpt .status.display.checkpoint
            Restarts .status.display.restarts
            Queue .spec.run.queue
            """,
        ),
    )

"""TransferJob: adapts a model to a task."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from . import scalars as s
from .app import APPS_WITHOUT_MODEL, WITHOUT_MODEL, App, needs_model
from .data import Data, Dataset, NamedDataset
from .jobspec import JOB_RULES, JobSpec
from .jobstatus import JobDisplay, JobStatus, Word
from .method import WITH_SOURCE, WITH_UNLABELLED, Method
from .model import Model
from .resource import SHORT_NAME, ApiVersion, ObjectMeta, Shown, columns
from .rules import Part, Rule


class TransferData(Data):
    """Examples, kept apart by use, so that no selector sees the reporting split."""

    source: Annotated[
        tuple[NamedDataset, ...], Field(max_length=16, json_schema_extra=s.LIST_BY_NAME)
    ] = ()
    """Source domains or tasks; default: none."""
    unlabelled: Dataset | None = None
    """Examples of the target without labels; absent: none."""


class TransferJobSpec(JobSpec):
    """What to train; all but a few fields are fixed once the job exists."""

    app: App
    """What the model is for."""
    model: Model | None = None
    """Weights to start from; absent only for apps without a pretrained encoder."""
    method: Method = Field(default_factory=Method)
    """How knowledge is transferred; default: fine-tuning."""
    data: TransferData
    """Examples, kept apart by use."""

    rules = (
        Rule(
            "has(self.model) || has(self.app.entrypoint)"
            f" || (has(self.app.variant) && self.app.variant in {list(WITHOUT_MODEL)})"
            f" || (has(self.app.name) && self.app.name in {list(APPS_WITHOUT_MODEL)})",
            "model is required: this app starts from a pretrained encoder,"
            " for example {from: {zoo: minilm-l6-en}}",
            lambda t: t.model is not None or not needs_model(t.app),
            at="model",
        ),
        Rule(
            f"!(self.method.name in {list(WITH_SOURCE)}) || size(self.data.source) > 0",
            "data.source is required by this method",
            lambda t: t.method.name not in WITH_SOURCE or bool(t.data.source),
            at="data.source",
        ),
        Rule(
            f"self.method.name in {list(WITH_SOURCE)} || size(self.data.source) == 0",
            "data.source has no effect with this method",
            lambda t: t.method.name in WITH_SOURCE or not t.data.source,
            at="data.source",
        ),
        Rule(
            f"self.method.name in {list(WITH_UNLABELLED)} || !has(self.data.unlabelled)",
            "data.unlabelled has no effect with this method",
            lambda t: t.method.name in WITH_UNLABELLED or t.data.unlabelled is None,
            at="data.unlabelled",
        ),
        *JOB_RULES,
    )


class TransferDisplay(JobDisplay):
    """Texts for the columns of kubectl."""

    base: Word | None = None
    """Model to start from."""
    dataset: Word | None = None
    """Training data."""


class TransferJobStatus(JobStatus):
    """What was observed of the job; nothing here is for users to write."""

    display: TransferDisplay | None = None
    """Texts for the columns of kubectl."""


class TransferJob(Part):
    """Adapts a model to a task: fine-tuning, feature, instance and meta learning methods."""

    api_version: ApiVersion
    """Group and version."""
    kind: Literal["TransferJob"]
    """Kind."""
    metadata: ObjectMeta
    """Name, labels and annotations."""
    spec: TransferJobSpec
    """What to train; all but a few fields are fixed once the job exists."""
    status: TransferJobStatus | None = None
    """What was observed of the job."""

    rules = (SHORT_NAME,)
    mutable = ("api_version", "kind", "metadata", "status")  # the server's own business
    shown: ClassVar[Shown] = Shown(
        short_name="transfer",
        selectable=(".spec.app.name", ".spec.method.name", ".status.phase"),
        columns=columns(
            """
            Phase .status.phase
            Method .spec.method.name
            Workers .status.display.workers
            Progress .status.display.progress
            Metric .status.display.metric
            ETA .status.display.remaining
            Age .metadata.creationTimestamp date
            """,
            """
            Base .status.display.base
            Dataset .status.display.dataset
            Step .status.display.step
            Ckpt .status.display.checkpoint
            Restarts .status.display.restarts
            Queue .spec.run.queue
            """,
        ),
    )

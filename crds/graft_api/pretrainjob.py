"""PretrainJob: trains an encoder on plain text or on pairs of image and text."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import Field

from . import scalars as s
from .data import Data
from .jobspec import JOB_RULES, JobSpec
from .jobstatus import JobDisplay, JobStatus, Word
from .model import Model
from .resource import SHORT_NAME, ApiVersion, ObjectMeta, Shown, columns
from .rules import Part, Rule, only_with

_BERTS = ("bert", "roberta", "albert", "auto")
# Which random models can learn which objective; clm takes any.
FITTING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mlm": _BERTS,
        "mlm+nsp": _BERTS,
        "mlm+sop": _BERTS,
        "span": ("t5", "auto"),
        "plm": ("xlnet", "auto"),
        "fashionbert": ("imagebert", "auto"),
    }
)


class Objective(Part):
    """What the model learns to predict."""

    name: Literal["mlm", "mlm+nsp", "mlm+sop", "span", "plm", "clm", "fashionbert"] = "mlm"
    """Objective; default mlm, masked language modelling."""
    whole_word: bool = True
    """Masks whole words: Chinese by a segmenter, English by word pieces. Default true."""
    online: bool = True
    """Draws masks while reading, anew in every epoch; default true."""
    probability: s.Ratio = 0.15
    """Share of the tokens that are masked; default 0.15."""
    span_length: s.Positive | None = None
    """Mean length of the masked spans of span; absent: 3."""
    adaptive_loss: Literal["loss_softmax", "grad_norm", "none"] | None = None
    """How fashionbert weighs its three losses; absent: loss_softmax."""

    rules = (
        only_with("span_length", "name", "span"),
        only_with("adaptive_loss", "name", "fashionbert"),
    )


def _fits(spec: PretrainJobSpec) -> bool:
    config = spec.model.from_.config
    known = FITTING.get(spec.objective.name)
    return config is None or known is None or config.architecture in known


class PretrainJobSpec(JobSpec):
    """What to pretrain; all but a few fields are fixed once the job exists."""

    model: Model
    """Model to start from: a config for random weights, else pretraining goes on."""
    data: Data
    """Text, one sentence a line and a blank line between documents."""
    objective: Objective = Field(default_factory=Objective)
    """What the model learns to predict; default: masked words."""

    rules = (
        Rule(
            "!has(self.model.from.config) || self.objective.name == 'clm' || "
            + " || ".join(
                f"(self.objective.name == '{name}'"
                f" && self.model.from.config.architecture in {list(known)})"
                for name, known in FITTING.items()
            ),
            "model.from.config.architecture does not fit objective.name: span is for t5,"
            " plm for xlnet, fashionbert for imagebert, mlm for bert, roberta and albert",
            _fits,
            at="objective",
        ),
        *JOB_RULES,
    )


class PretrainDisplay(JobDisplay):
    """Texts for the columns of kubectl."""

    loss: Word | None = None
    """Newest loss."""
    model: Word | None = None
    """Architecture and size."""
    tokens_per_second: Word | None = None
    """Tokens read per second."""


class PretrainJobStatus(JobStatus):
    """What was observed of the job; nothing here is for users to write."""

    display: PretrainDisplay | None = None
    """Texts for the columns of kubectl."""


class PretrainJob(Part):
    """Pretrains an encoder, from random weights or from those of another model."""

    api_version: ApiVersion
    """Group and version."""
    kind: Literal["PretrainJob"]
    """Kind."""
    metadata: ObjectMeta
    """Name, labels and annotations."""
    spec: PretrainJobSpec
    """What to pretrain; all but a few fields are fixed once the job exists."""
    status: PretrainJobStatus | None = None
    """What was observed of the job."""

    rules = (SHORT_NAME,)
    mutable = ("api_version", "kind", "metadata", "status")  # the server's own business
    shown: ClassVar[Shown] = Shown(
        short_name="pretrain",
        selectable=(".spec.objective.name", ".status.phase"),
        columns=columns(
            """
            Phase .status.phase
            Workers .status.display.workers
            Step .status.display.step
            Progress .status.display.progress
            Loss .status.display.loss
            ETA .status.display.remaining
            Age .metadata.creationTimestamp date
            """,
            """
            Model .status.display.model
            Tokens/s .status.display.tokensPerSecond
            Ckpt .status.display.checkpoint
            Restarts .status.display.restarts
            Queue .spec.run.queue
            """,
        ),
    )

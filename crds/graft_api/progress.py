"""What a worker reports while it works, and its last words; plain values that JSON carries."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

State = Literal[
    "Starting", "Training", "Evaluating", "Saving", "Exporting", "Done", "Stopped", "Failed"
]


STEP_BUCKETS = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    120.0,
)  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    def to_json(self) -> str:
        """One line of JSON with camelCase keys."""
        return json.dumps({_camel(k): v for k, v in asdict(self).items()}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The message that `to_json` wrote; unknown keys of a newer writer are ignored."""
        data: dict[str, Any] = json.loads(text)
        known = {_camel(f.name): f.name for f in fields(cls)}
        return cls(**{known[k]: v for k, v in data.items() if k in known})


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join("UID" if part == "uid" else part.title() for part in tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReport(_Message):
    """How far rank 0 is; the source of `/progress`, `/metrics`, the log and `status.progress`."""

    job_uid: str
    attempt: int
    state: State
    step: int = 0
    total_steps: int = 0
    epoch: float = 0.0
    world_size: int = 1
    loss: float | None = None  # mean over the global batch of `step`
    learning_rate: float | None = None
    tokens: int = 0  # real tokens of all processes since step 0, padding not counted
    samples: int = 0  # sequences of all processes since step 0
    tokens_per_second: float = 0.0
    samples_per_second: float = 0.0
    fill: float = 0.0  # share of real tokens among those computed
    remaining_seconds: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)  # newest value of each
    checkpoint_step: int | None = None
    checkpoint_time: str | None = None  # RFC 3339
    checkpoint_uri: str | None = None
    checkpoint_bytes: int | None = None
    checkpoint_seconds: float | None = None  # how long the writing took; 0: before a restart
    nonfinite: int = 0  # steps left out since step 0, for their loss or gradient was not finite
    productive_seconds: float = 0.0  # in steps that were kept
    evaluating_seconds: float = 0.0  # in evaluations that were kept
    saving_seconds: float = 0.0  # that steps were held up by checkpoints
    lost_seconds: float = 0.0  # in steps, evaluations and saves that were done again
    starting_seconds: float = 0.0  # from the start of an attempt's first process to its first step
    restarting_seconds: float = 0.0  # of later ones: since the last sign of the process before
    mfu: float | None = None  # share of the devices' peak; None where the peak is not known
    restarts: int = 0  # of this launcher's workers after failures, within the attempt
    rank: int = 0  # of the process that reports; what follows is of this process, since its start
    step_histogram: dict[str, int] = field(default_factory=dict)  # steps by upper bound
    step_seconds: float = 0.0  # sum of all durations in the histogram
    data_wait_seconds: float = 0.0
    memory_peak_bytes: int = 0
    began: str = ""  # RFC 3339, when its first step began
    time: str = ""  # RFC 3339, when this was reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination(_Message):
    """The last words of a stage, at most 4 KiB: done with an artefact, stopped, or failed."""

    state: Literal["Complete", "Stopped", "Failed"]
    failure_class: str = ""
    exit_code: int = 0
    rank: int = 0
    step: int | None = None
    message: str = ""
    hint: str = ""
    artefact_uri: str = ""
    artefact_digest: str = ""
    artefact_bytes: int = 0
    total_steps: int = 0
    metrics: dict[str, float] = field(default_factory=dict)  # of the final weights, and the loss
    model_digest: str = ""  # of the weights to start from; said by the prepare stage
    dataset: dict[str, Any] = field(default_factory=dict)  # the block of status; prepare, too
    comparison: dict[str, Any] = field(default_factory=dict)  # the block of a DistillJob's status
    seconds: dict[str, float] = field(
        default_factory=dict
    )  # as in the report, by `evaluating`, ...


PARTS = ("productive", "evaluating", "saving", "lost", "starting", "restarting")


def spent(report: ProgressReport) -> dict[str, float]:
    """Where the time of the training went, in seconds by part."""
    return {part: getattr(report, f"{part}_seconds") for part in PARTS}

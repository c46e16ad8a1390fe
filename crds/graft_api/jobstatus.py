"""What is known of a running or finished job; written by the operator or by `graft run`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from . import scalars as s
from .rules import Observed

Word = Annotated[str, Field(max_length=128)]
Line = Annotated[str, Field(max_length=1024)]
Whole = Annotated[int, Field(ge=0, le=2**53)]


class Condition(Observed):
    """One aspect of the state."""

    type: Annotated[str, Field(max_length=63)]
    """Aspect, such as Ready."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    observed_generation: Whole | None = None
    """Generation of the spec that was judged."""
    last_transition_time: s.Time
    """When `status` last changed."""
    reason: Word
    """Why, as one word."""
    message: Line = ""
    """Why, in one line that says what to do next."""


class ModelStatus(Observed):
    """The weights that were resolved."""

    digest: Word | None = None
    """Digest of the weights."""


class ReferenceStatus(Observed):
    """A job that was read; a later job of the same name is not looked at."""

    kind: Word
    """Its kind."""
    name: Word
    """Its name."""
    digest: Word
    """Digest of its artefact."""
    uri: Line
    """Where its artefact is."""


class DatasetStatus(Observed):
    """The data as read."""

    rows: Whole | None = None
    """Examples."""
    columns: Annotated[tuple[Word, ...], Field(max_length=64)] = ()
    """Columns."""
    sha256: Word | None = None
    """Digest of the files."""
    labels: Whole | None = None
    """Distinct labels."""
    warnings: Annotated[tuple[Line, ...], Field(max_length=16)] = ()
    """What looked odd."""


class WorkersStatus(Observed):
    """The gang."""

    desired: Whole | None = None
    """Workers wanted."""
    target: Whole | None = None
    """Workers of the current attempt."""
    ready: Whole | None = None
    """Workers that joined the rendezvous."""
    failed: Whole | None = None
    """Workers lost for good."""
    world: Whole | None = None
    """Processes in the world."""


class Progress(Observed):
    """How far the job is."""

    step: Whole | None = None
    """Optimiser steps done."""
    total_steps: Whole | None = None
    """Optimiser steps planned."""
    epoch: s.Weight | None = None
    """Epochs done."""
    progress_percentage: Annotated[int, Field(ge=0, le=100)] | None = None
    """Share done in percent."""
    estimated_remaining_seconds: Whole | None = None
    """Seconds to the end."""
    tokens_per_second: Whole | None = None
    """Tokens read per second by all workers."""
    mfu_percentage: Annotated[int, Field(ge=0, le=100)] | None = None
    """Share of what the devices could compute that the model uses."""
    last_updated_time: s.Time | None = None
    """When this block was written."""


class MetricValue(Observed):
    """The last value of a metric."""

    name: Annotated[str, Field(max_length=64)]
    """Name of the metric."""
    value: Annotated[str, Field(max_length=64)]
    """Value as text."""


class CheckpointStatus(Observed):
    """The newest complete checkpoint."""

    step: Whole | None = None
    """Its step."""
    time: s.Time | None = None
    """When it was complete."""
    uri: Line | None = None
    """Its folder."""
    bytes: Whole | None = None
    """Its size."""
    duration_seconds: s.Seconds | None = None
    """Seconds it took."""
    trigger: Literal["Periodic", "Signal", "Resize", "Final"] | None = None
    """Why it was taken."""


class Restart(Observed):
    """One restart, and what caused it."""

    time: s.Time
    """When the cause was seen."""
    class_: Word
    """Class of the cause, such as Disruption."""
    reason: Word
    """Cause in one word."""
    worker: Whole | None = None
    """Worker that failed first."""
    exit_code: Annotated[int, Field(ge=-255, le=255)] | None = None
    """Its exit code."""
    step: Whole | None = None
    """Step that the job had reached."""


class RestartStatus(Observed):
    """Restarts by class."""

    user: Whole | None = None
    """After errors of the user's code."""
    infrastructure: Whole | None = None
    """After errors of the cluster."""
    disruption: Whole | None = None
    """After evictions; free."""
    last_reason: Word | None = None
    """Reason of the last one."""
    last_worker: Whole | None = None
    """Worker that caused it."""
    next_time: s.Time | None = None
    """When the next attempt begins."""
    history: Annotated[tuple[Restart, ...], Field(max_length=16)] = ()
    """The newest restarts, oldest first."""


class Failure(Observed):
    """The first failure of the last attempt."""

    class_: Word | None = None
    """Class, such as UserError."""
    worker: Whole | None = None
    """Worker that failed first."""
    exit_code: Annotated[int, Field(ge=-255, le=255)] | None = None
    """Its exit code; negative: the signal that ended it."""
    step: Whole | None = None
    """Its step."""
    message: Line | None = None
    """What happened."""
    hint: Line | None = None
    """What to do next."""


class Artefact(Observed):
    """What the job produced."""

    uri: Line | None = None
    """Its folder."""
    digest: Word | None = None
    """Its digest."""
    bytes: Whole | None = None
    """Its size."""
    parents: Annotated[tuple[Word, ...], Field(max_length=16)] = ()
    """Digests of what it was made from."""


class Goodput(Observed):
    """Where the time since creation went; the parts add up to it."""

    percentage: Annotated[int, Field(ge=0, le=100)] | None = None
    """Share of `productiveSeconds` in all of it."""
    productive_seconds: Whole | None = None
    """Steps that were kept."""
    lost_seconds: Whole | None = None
    """Steps, evaluations and saves that were done again."""
    restarting_seconds: Whole | None = None
    """From the loss of a gang or a worker to the next step."""
    reforming_seconds: Whole | None = None
    """What of restartingSeconds the gang needed by itself, within an attempt."""
    queued_seconds: Whole | None = None
    """Waiting for quota, other jobs or pods."""
    preparing_seconds: Whole | None = None
    """Reading and tokenising the data."""
    starting_seconds: Whole | None = None
    """From the making of the gang to its first step."""
    evaluating_seconds: Whole | None = None
    """Evaluations that were kept."""
    saving_seconds: Whole | None = None
    """Steps that waited for checkpoints."""
    suspended_seconds: Whole | None = None
    """Paused by the user."""
    other_seconds: Whole | None = None
    """Everything else, such as the export of the model."""
    counted_time: s.Time | None = None
    """Up to when waits are counted: the last turn from one part to another."""


class JobDisplay(Observed):
    """Texts for the columns of kubectl that every job has."""

    workers: Word | None = None
    """Ready and desired workers."""
    step: Word | None = None
    """Done and planned steps."""
    progress: Word | None = None
    """Share done."""
    metric: Word | None = None
    """Best metric."""
    remaining: Word | None = None
    """Time to the end."""
    checkpoint: Word | None = None
    """Newest checkpoint."""
    restarts: Word | None = None
    """Restarts by class."""


class JobStatus(Observed):
    """What was observed of a job; nothing here is for users to write."""

    observed_generation: Whole | None = None
    """Generation of the spec that was seen last."""
    operator_version: Word | None = None
    """Version of the operator that wrote this."""
    phase: Annotated[str, Field(max_length=32)] | None = None
    """Summary for people; scripts read the conditions."""
    conditions: Annotated[
        tuple[Condition, ...], Field(max_length=31, json_schema_extra=s.LIST_BY_TYPE)
    ] = ()
    """State by aspect."""
    model: ModelStatus | None = None
    """The weights that were resolved."""
    references: Annotated[tuple[ReferenceStatus, ...], Field(max_length=4)] = ()
    """The jobs whose artefacts this one starts from."""
    dataset: DatasetStatus | None = None
    """The data as read."""
    workers: WorkersStatus | None = None
    """The gang."""
    selector: Line | None = None
    """Label selector of the workers, for the scale subresource."""
    progress: Progress | None = None
    """How far the job is."""
    effective_batch: Whole | None = None
    """Sequences per optimiser step as the gang makes them."""
    metrics: Annotated[
        tuple[MetricValue, ...], Field(max_length=256, json_schema_extra=s.LIST_BY_NAME)
    ] = ()
    """Last value of each metric."""
    checkpoint: CheckpointStatus | None = None
    """The newest complete checkpoint."""
    restarts: RestartStatus | None = None
    """Restarts by class."""
    attempt: Whole | None = None
    """Number of the current attempt."""
    revision: Word | None = None
    """Revision of the runtime template in use."""
    failure: Failure | None = None
    """The first failure of the last attempt."""
    artefact: Artefact | None = None
    """What the job produced."""
    goodput: Goodput | None = None
    """Where the time went."""
    start_time: s.Time | None = None
    """When the first attempt began."""
    first_step_time: s.Time | None = None
    """When the first step ended."""
    last_step_time: s.Time | None = None
    """When the newest step ended."""
    completion_time: s.Time | None = None
    """When the job ended."""

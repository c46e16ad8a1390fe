"""ServeDeployment: answers requests with a trained model."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from . import scalars as s
from .jobstatus import Condition, Line, Whole, Word
from .resource import SHORT_NAME, ApiVersion, ObjectMeta, Scale, Shown, columns
from .rules import Observed, Part
from .serving import (
    Autoscaling,
    Batching,
    Gateway,
    Recall,
    Rollout,
    Runtime,
    ServedModel,
    ServeResources,
)
from .workers import PodTemplate


class ServeDeploymentSpec(Part):
    """Which model answers, with what, and how a new one takes over."""

    model: ServedModel
    """The model that answers."""
    replicas: Annotated[int, Field(ge=0, le=1024)] = 1
    """Pods that answer; default 1. `kubectl scale` sets it."""
    autoscaling: Autoscaling | None = None
    """Replicas that follow the load; absent: always `replicas`."""
    runtime: Runtime = Field(default_factory=Runtime)
    """The engine that computes."""
    batching: Batching = Field(default_factory=Batching)
    """How waiting requests are computed together, and how many may wait."""
    recall: Recall | None = None
    """Vector recall, for models with two towers; absent: none."""
    gateway: Gateway | None = None
    """A Gateway whose requests come here, split by the weights of a canary; absent: none."""
    rollout: Rollout = Field(default_factory=Rollout)
    """How a new model takes over; default: at once when it is ready."""
    resources: ServeResources = Field(default_factory=ServeResources)
    """What each replica asks for; default 1 core and 1Gi."""
    pod_template: PodTemplate = Field(default_factory=PodTemplate)
    """Overlay over the pod, the last resort; default: none."""


class ServedModelStatus(Observed):
    """The model that answers."""

    name: Word | None = None
    """Its name."""
    uri: Line | None = None
    """Its folder."""
    digest: Word | None = None
    """Digest of its weights."""
    source: Word | None = None
    """Digest of the `spec.model` that it was looked up for."""


class Traffic(Observed):
    """How requests are split in effect, in percent."""

    stable: Annotated[int, Field(ge=0, le=100)] | None = None
    """Share of the stable model."""
    canary: Annotated[int, Field(ge=0, le=100)] | None = None
    """Share of the new model."""


class RolloutStatus(Observed):
    """How far a new model has come."""

    state: (
        Literal[
            "Stable",
            "Preparing",
            "Smoke",
            "Step",
            "Paused",
            "Promote",
            "RollingBack",
            "Degraded",
        ]
        | None
    ) = None
    """State of the roll-out."""
    step: Whole | None = None
    """Number of the step, counted from 1."""
    uri: Line | None = None
    """Folder of the new model."""
    digest: Word | None = None
    """Digest of the new model."""
    source: Word | None = None
    """Digest of the `spec.model` that it was looked up for."""
    step_start_time: s.Time | None = None
    """When the step began."""
    message: Line | None = None
    """Why it is in this state."""


class RecallStatus(Observed):
    """The index in use."""

    digest: Word | None = None
    """Its digest."""
    model_digest: Word | None = None
    """Digest of the model that made its vectors."""
    items: Whole | None = None
    """Texts in it."""
    recall: s.Ratio | None = None
    """Share of the true nearest texts that it finds, measured when it was built."""


class ServeDisplay(Observed):
    """Texts for the columns of kubectl."""

    ready: Word | None = None
    """Ready and wanted replicas."""
    model: Word | None = None
    """Model that answers."""
    canary: Word | None = None
    """Share of the new model."""
    p99: Word | None = None
    """99th percentile of the latency."""
    qps: Word | None = None
    """Requests per second."""
    runtime: Word | None = None
    """Engine and number format."""


class ServeDeploymentStatus(Observed):
    """What was observed; nothing here is for users to write."""

    observed_generation: Whole | None = None
    """Generation of the spec that was seen last."""
    operator_version: Word | None = None
    """Version of the operator that wrote this."""
    conditions: Annotated[
        tuple[Condition, ...], Field(max_length=31, json_schema_extra=s.LIST_BY_TYPE)
    ] = ()
    """State by aspect."""
    model: ServedModelStatus | None = None
    """The model that answers."""
    replicas: Whole | None = None
    """Pods there are."""
    ready_replicas: Whole | None = None
    """Pods that answer."""
    selector: Line | None = None
    """Label selector of the pods, for the scale subresource."""
    url: Line | None = None
    """Where requests go."""
    traffic: Traffic | None = None
    """How requests are split in effect."""
    rollout: RolloutStatus | None = None
    """How far a new model has come."""
    recall: RecallStatus | None = None
    """The index in use."""
    metric_change: Annotated[str, Field(max_length=64)] | None = None
    """What int8 costs in the task's metric, as text."""
    display: ServeDisplay | None = None
    """Texts for the columns of kubectl."""


class ServeDeployment(Part):
    """Serves a model over HTTP, with batching, scaling and canary roll-outs."""

    api_version: ApiVersion
    """Group and version."""
    kind: Literal["ServeDeployment"]
    """Kind."""
    metadata: ObjectMeta
    """Name, labels and annotations."""
    spec: ServeDeploymentSpec
    """Which model answers, with what, and how a new one takes over."""
    status: ServeDeploymentStatus | None = None
    """What was observed."""

    rules = (SHORT_NAME,)
    mutable = ("api_version", "kind", "metadata", "spec", "status")
    shown: ClassVar[Shown] = Shown(
        short_name="serve",
        categories=("graft",),
        scale=Scale(
            specified=".spec.replicas",
            observed=".status.replicas",
            selector=".status.selector",
        ),
        selectable=(".spec.runtime.name",),
        columns=columns(
            """
            Ready .status.display.ready
            Model .status.display.model
            Canary .status.display.canary
            URL .status.url
            Age .metadata.creationTimestamp date
            """,
            """
            Digest .status.model.digest
            P99 .status.display.p99
            QPS .status.display.qps
            Runtime .status.display.runtime
            """,
        ),
    )

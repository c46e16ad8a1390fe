"""How a model is served: runtime, batching, scaling, recall, reach and roll-out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from . import scalars as s
from .data import Credentials
from .model import JobReference
from .resources import Resources
from .rules import ATOMIC, Part, Rule, exactly_one, only_with


class ServedOrigin(Part):
    """Where the served model comes from; exactly one."""

    zoo: s.Short | None = None
    """Name in the model zoo."""
    uri: s.Uri | None = None
    """Artefact of this project, or a folder in Hugging Face layout."""
    job: JobReference | None = None
    """Artefact of a job; serving begins when that job is Complete."""

    rules = (exactly_one("zoo", "uri", "job"),)
    schema_extra = ATOMIC


class ServedModel(Part):
    """The model that answers."""

    from_: ServedOrigin
    """Where it comes from; looked up again only when the spec changes."""
    revision: s.Digest | None = None
    """Pin: weights of another digest are refused. Absent: resolved into status.model.digest."""
    credentials: Credentials | None = None
    """Access to private storage; absent: none."""


class ScalingTarget(Part):
    """What each replica should carry; exactly one."""

    queue_depth: s.Count | None = None
    """Requests waiting at each replica; needs KEDA or a metrics adapter, and has the CPU beside."""
    cpu: Annotated[int, Field(ge=1, le=100)] | None = None
    """Percent of the requested CPU."""
    requests_per_second: s.Positive | None = None
    """Requests per second at each replica."""

    rules = (exactly_one("queue_depth", "cpu", "requests_per_second"),)
    schema_extra = ATOMIC


class Autoscaling(Part):
    """Replicas that follow the load; `replicas` is then where it starts."""

    min: Annotated[int, Field(ge=0, le=1024)] = 1
    """Fewest replicas; default 1."""
    max: Annotated[int, Field(ge=1, le=1024)]
    """Most replicas."""
    target: ScalingTarget
    """What each replica should carry."""

    rules = (
        Rule(
            "self.min <= self.max",
            "min {min} is above max {max}",
            lambda a: a.min <= a.max,
            at="min",
        ),
        Rule(
            "self.min > 0 || !has(self.target.queueDepth)",
            "min 0 with target queueDepth: pods that are gone have no queue; set min to 1",
            lambda a: a.min > 0 or a.target.queue_depth is None,
            at="min",
        ),
    )


class Runtime(Part):
    """The engine that computes."""

    name: Literal["auto", "torch", "onnxruntime", "openvino", "image"] = "auto"
    """Engine; image runs another server. Default auto."""
    precision: Literal["auto", "fp32", "bf16", "fp16", "int8"] = "auto"
    """Number format; auto takes the fastest that is exact enough, int8 has to be asked for."""
    image: s.Text | None = None
    """Image of the other server; required with name image."""
    preset: Literal["tei", "vllm"] | None = None
    """Probes and metrics of a known server; absent: those of the Open Inference Protocol."""

    rules = (
        only_with("image", "name", "image"),
        only_with("preset", "name", "image"),
        Rule(
            "self.name != 'image' || has(self.image)",
            "image is required with name image",
            lambda r: r.name != "image" or r.image is not None,
            at="image",
        ),
    )


class Batching(Part):
    """How waiting requests are computed together, and how many may wait."""

    max_batch: Annotated[int, Field(ge=1, le=65536)] = 32
    """Most requests of a batch; default 32."""
    max_tokens: s.CountOrAuto = "auto"
    """Most tokens of a batch; auto: the best of those measured at start-up."""
    max_delay: s.Duration = "0ms"
    """Longest wait for company; default 0ms."""
    max_queue: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    """Requests that may wait; more are refused. Default 256."""
    timeout: s.Duration = "1s"
    """Longest wait of a request before it is refused; default 1s."""


class Corpus(Part):
    """Texts that can be found."""

    uri: s.Uri
    """A file or a glob; one text each line or row."""
    format: Literal["auto", "tsv", "csv", "jsonl", "parquet", "text"] = "auto"
    """File format; auto reads the extension and the first lines."""
    columns: Annotated[dict[str, s.Short], Field(max_length=32)] = Field(default_factory=dict)
    """The roles id and text mapped to the file's columns; default: columns of these names."""
    credentials: Credentials | None = None
    """Access to private storage; absent: none."""


class Recall(Part):
    """Vector recall: finds texts of a corpus; for models with two towers."""

    corpus: Corpus
    """Texts that can be found."""
    index: Literal["auto", "flat", "hnsw", "ivf_pq"] = "auto"
    """Kind of index; auto: flat below 100,000 texts, hnsw above."""
    top_k: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Texts found for each query; default 100."""


class ServeResources(Resources):
    """What each replica asks for; requests equal limits."""

    memory: s.Quantity = "1Gi"
    """Memory of each replica; default 1Gi."""


class Gateway(Part):
    """A Gateway that sends requests here by an HTTPRoute."""

    name: s.Key
    """Name of the Gateway."""
    namespace: s.Namespace | None = None
    """Its namespace; absent: that of the deployment."""
    section_name: s.Key | None = None
    """Name of one of its listeners; absent: every listener that lets the route in."""
    hostnames: Annotated[tuple[s.Hostname, ...], Field(max_length=16)] = ()
    """Names that requests are sent to; empty: every name of the listeners."""
    path: s.PathPrefix = "/"
    """What paths of requests begin with; the server does not see it. Default /."""


class RolloutStep(Part):
    """A share of the traffic, held for a while."""

    weight: Annotated[int, Field(ge=1, le=100)]
    """Percent of the traffic for the new model: exact by a route, else as near as pods come."""
    hold: s.Duration = "5m"
    """How long before the next step at least; default 5m."""


class Rollout(Part):
    """How a new model takes over."""

    strategy: Literal["replace", "canary"] = "replace"
    """At once when it is ready, or in steps; default replace."""
    steps: Annotated[tuple[RolloutStep, ...], Field(max_length=16)] = ()
    """Steps of a canary in their order; the model takes over after the last."""
    max_error_rate: s.Ratio = 0.01
    """Share of requests failed by the server above which the old model returns; default 0.01."""
    max_p99: s.Duration | None = None
    """99th percentile of the latency above which the old model returns; absent: none."""
    paused: bool = False
    """Stays at the current step; default false."""

    rules = (
        Rule(
            "(self.strategy == 'canary') == (size(self.steps) > 0)",
            "strategy canary and steps go together: set both or none",
            lambda r: (r.strategy == "canary") == bool(r.steps),
            at="steps",
        ),
        only_with("max_p99", "strategy", "canary"),
        Rule(
            "!self.paused || self.strategy == 'canary'",
            "paused has no effect unless strategy is canary; found {strategy}",
            lambda r: not r.paused or r.strategy == "canary",
            at="paused",
        ),
    )

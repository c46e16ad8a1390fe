"""What is measured while serving, as Prometheus series; no text and no client in any label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from graft_worker.serve.desk import Waiting
from graft_worker.serve.loading import Served

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
VARIANT = "stable"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
_TOKENS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
_SHARES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
_STEPS = ("request", "queue", "preprocess", "inference", "postprocess")


class Meter:
    """The series of one server, which serves one model."""

    def __init__(self) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        self._labels = {"model": "", "version": ""}
        self._steps = {step: self._histogram(f"{step}_duration_seconds") for step in _STEPS}
        self._sizes = {
            "batch_size": self._histogram("batch_size", _COUNTS),
            "batch_tokens": self._histogram("batch_tokens", _TOKENS),
            "input_length_tokens": self._histogram("input_length_tokens", _TOKENS),
            "input_unknown_token_ratio": self._histogram("input_unknown_token_ratio", _SHARES),
            "score": self._histogram("score", _SHARES),
        }
        self._requests = self._counter(
            "requests", "model", "version", "variant", "endpoint", "code"
        )
        self._rejected = self._counter("rejected", "model", "reason")
        self._cancelled = self._counter("cancelled", "model")
        self._gauges = {
            name: self._gauge(name)
            for name in (
                "queue_depth",
                "in_flight",
                "batch_budget_tokens",
                "model_load_seconds",
                "ready",
            )
        }
        self._info = self._gauge("model_info", "model", "digest", "format", "dtype", "engine")
        # Found once: to find a series costs more than to count in it.
        self._observed: dict[str, Histogram] = {}
        self._answered: dict[tuple[str, int], Counter] = {}
        self._refused: dict[str, Counter] = {}

    def loaded(self, served: Served) -> None:
        """The model is known from now on."""
        self._labels = {"model": served.name, "version": served.version}
        self._observed.clear()
        self._answered.clear()
        self._refused.clear()
        self._info.labels(
            model=served.name,
            digest=served.artefact.digest,
            format="safetensors",
            dtype=served.engine.dtype,
            engine=served.engine.name,
        ).set(1)
        self.set("model_load_seconds", served.seconds)
        self.set("batch_budget_tokens", served.budget)

    def text(self) -> bytes:
        """All series in Prometheus' text format."""
        return generate_latest(self._registry)

    def set(self, gauge: str, value: float) -> None:
        """A gauge has this value now."""
        self._gauges[gauge].labels(model=self._labels["model"]).set(value)

    def step(self, name: str, seconds: float) -> None:
        """A step of a request took so long."""
        self._observe(name, seconds)

    def request(self, endpoint: str, code: int) -> None:
        """A request was answered with this code; 499: its client had gone."""
        if (endpoint, code) not in self._answered:
            self._answered[endpoint, code] = self._requests.labels(
                **self._labels, variant=VARIANT, endpoint=endpoint, code=str(code)
            )
        self._answered[endpoint, code].inc()
        if code == 499:
            self._cancelled.labels(model=self._labels["model"]).inc()

    def rejected(self, reason: str) -> None:
        """A request was refused for want of room or time."""
        if reason not in self._refused:
            self._refused[reason] = self._rejected.labels(
                model=self._labels["model"], reason=reason
            )
        self._refused[reason].inc()

    def batch(self, batch: Sequence[Waiting], *, began: float, ended: float) -> None:
        """A batch was computed; times are the clock's."""
        self.step("inference", ended - began)
        for each in batch:
            self.step("queue", began - each.arrived)
        self.size("batch_size", len(batch))
        self.size("batch_tokens", sum(len(each.example) for each in batch))

    def size(self, name: str, value: float) -> None:
        """A histogram has one more value."""
        self._observe(name, value)

    def _observe(self, name: str, value: float) -> None:
        if name not in self._observed:
            histogram = self._steps[name] if name in self._steps else self._sizes[name]
            model = self._labels["model"]
            self._observed[name] = histogram.labels(model=model, variant=VARIANT)
        self._observed[name].observe(value)

    def _histogram(self, name: str, buckets: Sequence[float] = _SECONDS) -> Histogram:
        return Histogram(
            f"graft_serve_{name}",
            _HELP[name],
            ("model", "variant"),
            buckets=buckets,
            registry=self._registry,
        )

    def _counter(self, name: str, *labels: str) -> Counter:
        return Counter(f"graft_serve_{name}", _HELP[name], labels, registry=self._registry)

    def _gauge(self, name: str, *labels: str) -> Gauge:
        return Gauge(
            f"graft_serve_{name}", _HELP[name], labels or ("model",), registry=self._registry
        )


_HELP: Mapping[str, str] = {
    "request_duration_seconds": "From the end of a prediction's headers to its answer",
    "queue_duration_seconds": "How long an example waited for its batch",
    "preprocess_duration_seconds": "Reading and tokenising a request",
    "inference_duration_seconds": "Computing a batch",
    "postprocess_duration_seconds": "From logits to labels and probabilities",
    "batch_size": "Examples of a batch",
    "batch_tokens": "Real tokens of a batch",
    "input_length_tokens": "Tokens of an example",
    "input_unknown_token_ratio": "Share of an example's tokens that the vocabulary lacks",
    "score": "Highest probability of an answer",
    "requests": "Requests answered",
    "rejected": "Requests refused for want of room or time",
    "cancelled": "Requests whose client had gone",
    "queue_depth": "Examples that wait",
    "in_flight": "Requests that are read, wait or are answered",
    "batch_budget_tokens": "Slots of a batch, padding included",
    "model_load_seconds": "How long the model took to load, verify and warm up",
    "ready": "1 while requests are taken",
    "model_info": "The model that answers",
}

"""What the operator counts. Labels are bounded: only `graft_job_info` names a job."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

disable_created_metrics()
REGISTRY = CollectorRegistry()
_MINUTES = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)
_MOMENTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

INFO = Gauge(
    "graft_operator_info", "Version of the operator, always 1", ["version"], registry=REGISTRY
)
LEADER = Gauge("graft_operator_leader", "1 where this replica holds the Lease", registry=REGISTRY)
RECONCILES = Counter("graft_reconcile_total", "Reconciles", ["kind", "result"], registry=REGISTRY)
RECONCILE_SECONDS = Histogram(
    "graft_reconcile_duration_seconds",
    "Duration of one reconcile",
    ["kind"],
    buckets=_MOMENTS,
    registry=REGISTRY,
)
RECONCILE_LAG = Histogram(
    "graft_reconcile_lag_seconds",
    "From an event to the start of its reconcile",
    ["kind"],
    buckets=_MOMENTS,
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge("graft_queue_depth", "Keys that wait", ["kind"], registry=REGISTRY)
QUEUE_OLDEST = Gauge(
    "graft_queue_oldest_seconds", "Age of the key that waits longest", ["kind"], registry=REGISTRY
)
DEADLINES = Gauge("graft_deadlines_pending", "Keys with a wake time", ["kind"], registry=REGISTRY)
API_REQUESTS = Counter(
    "graft_api_requests_total",
    "Requests to the API server",
    ["verb", "resource", "code"],
    registry=REGISTRY,
)
API_SECONDS = Histogram(
    "graft_api_request_duration_seconds",
    "Duration of a request to the API server",
    ["verb", "resource"],
    buckets=_MOMENTS,
    registry=REGISTRY,
)
API_THROTTLED = Counter(
    "graft_api_throttled_seconds_total",
    "Time that requests waited for the operator's own limit",
    registry=REGISTRY,
)
STATUS_WRITES = Counter(
    "graft_status_writes_total", "Status writes", ["kind", "cause"], registry=REGISTRY
)
RESYNC_CORRECTIONS = Counter(
    "graft_resync_corrections_total",
    "Objects whose events were missed, batch Jobs as kind Job",
    ["kind"],
    registry=REGISTRY,
)
WATCH_LAST_EVENT = Gauge(
    "graft_watch_last_event_timestamp_seconds",
    "Time of the newest event or list",
    ["resource"],
    registry=REGISTRY,
)
PROGRESS_PULLS = Counter(
    "graft_progress_pulls_total", "Looks at a worker's progress", ["result"], registry=REGISTRY
)
PROGRESS_AGE = Gauge(
    "graft_progress_age_seconds", "Age of the oldest report of a running job", registry=REGISTRY
)
ROLLOUT_STATE = Gauge(
    "graft_rollout_state",
    "ServeDeployments by the state of their roll-out",
    ["namespace", "state"],
    registry=REGISTRY,
)
ROLLOUTS = Counter(
    "graft_rollouts_total",
    "Models that took over or were taken back, and the word for why",
    ["result", "reason"],
    registry=REGISTRY,
)
JOBS = Gauge("graft_jobs", "Jobs", ["kind", "namespace", "phase"], registry=REGISTRY)
JOB_INFO = Gauge(
    "graft_job_info",
    "Unfinished jobs, at most 1000, always 1",
    ["kind", "namespace", "job", "method", "model"],
    registry=REGISTRY,
)
ATTEMPTS = Counter(
    "graft_job_attempts_total",
    "Attempts after the first, by the class of their cause",
    ["kind", "namespace", "class"],
    registry=REGISTRY,
)
FAILURES = Counter(
    "graft_job_failures_total",
    "Jobs that failed",
    ["kind", "namespace", "reason"],
    registry=REGISTRY,
)
QUEUE_SECONDS = Histogram(
    "graft_job_queue_seconds",
    "From creation to admission",
    ["kind"],
    buckets=_MINUTES,
    registry=REGISTRY,
)
START_SECONDS = Histogram(
    "graft_job_start_seconds",
    "From creation to the first step",
    ["kind"],
    buckets=_MINUTES,
    registry=REGISTRY,
)
DURATION_SECONDS = Histogram(
    "graft_job_duration_seconds",
    "From creation to the end",
    ["kind"],
    buckets=_MINUTES,
    registry=REGISTRY,
)
TIME_SECONDS = Counter(
    "graft_job_time_seconds_total",
    "Where the time of jobs that have ended went, from creation on",
    ["kind", "part"],
    registry=REGISTRY,
)

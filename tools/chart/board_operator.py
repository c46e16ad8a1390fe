"""The operator itself: does it lead, does it keep up, does it miss anything."""

from __future__ import annotations

from .panels import Board, Panel, Query

_RATE = "[$__rate_interval]"


def _sum(by: str, series: str) -> tuple[Query, ...]:
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    return (Query(expression=f"sum by ({by}) ({series})", legend=legend),)


OPERATOR = Board(
    name="operator",
    title="Graft / Operator",
    jobs="graft_job_info",
    panels=(
        Panel(
            title="Leaders",
            text="1 always; 0 for a few seconds while a standby takes over.",
            form="stat",
            queries=_sum("namespace", "graft_operator_leader"),
        ),
        Panel(
            title="Reconciles",
            text="Per second, by result.",
            unit="ops",
            queries=_sum("kind, result", f"rate(graft_reconcile_total{_RATE})"),
        ),
        Panel(
            title="Lag, p99",
            text="From an event to the start of its reconcile.",
            unit="s",
            queries=(
                Query(
                    expression="histogram_quantile(0.99, sum by (kind, le) "
                    f"(rate(graft_reconcile_lag_seconds_bucket{_RATE})))",
                    legend="{{kind}}",
                ),
            ),
        ),
        Panel(
            title="Duration of a reconcile, p99",
            text="One reconcile of one job.",
            unit="s",
            queries=(
                Query(
                    expression="histogram_quantile(0.99, sum by (kind, le) "
                    f"(rate(graft_reconcile_duration_seconds_bucket{_RATE})))",
                    legend="{{kind}}",
                ),
            ),
        ),
        Panel(
            title="Queue",
            text="Keys that wait.",
            queries=_sum("kind", "graft_queue_depth"),
        ),
        Panel(
            title="Deadlines",
            text="Keys with a wake time.",
            queries=_sum("kind", "graft_deadlines_pending"),
        ),
        Panel(
            title="Requests to the API server",
            text="Per second, by verb and code.",
            unit="reqps",
            queries=_sum("verb, code", f"rate(graft_api_requests_total{_RATE})"),
        ),
        Panel(
            title="Throttling",
            text="Seconds per second that requests wait for the operator's own limit.",
            unit="s",
            queries=_sum("namespace", f"rate(graft_api_throttled_seconds_total{_RATE})"),
        ),
        Panel(
            title="Status writes",
            text="Per second, by what caused them.",
            unit="wps",
            queries=_sum("cause", f"rate(graft_status_writes_total{_RATE})"),
        ),
        Panel(
            title="Resync corrections",
            text="Differences that events had missed; 0, or there is a bug.",
            queries=_sum("kind", "graft_resync_corrections_total"),
        ),
        Panel(
            title="Silence of watches",
            text="Seconds since the newest event or list.",
            unit="s",
            queries=(
                Query(
                    expression="time() - max by (resource) "
                    "(graft_watch_last_event_timestamp_seconds)",
                    legend="{{resource}}",
                ),
            ),
        ),
        Panel(
            title="Looks at progress",
            text="Per second, by result.",
            unit="ops",
            queries=_sum("result", f"rate(graft_progress_pulls_total{_RATE})"),
        ),
    ),
)

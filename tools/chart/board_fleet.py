"""All jobs: how many, how long they wait, what is lost."""

from __future__ import annotations

from .panels import Board, Panel, Query

_HERE = 'namespace=~"$namespace"'
_THESE = f'{_HERE}, job=~"$job"'
_ACTIVE = f'graft_jobs{{{_HERE}, phase=~"Starting|Running|Restarting|Resizing"}}'


def _quantiles(name: str) -> tuple[Query, ...]:
    return tuple(
        Query(
            expression=f"histogram_quantile({share}, sum by (kind, le) (rate({name}_bucket[1h])))",
            legend=f"{{{{kind}}}} p{share * 100:g}",
        )
        for share in (0.5, 0.95)
    )


FLEET = Board(
    name="fleet",
    title="Graft / Fleet",
    jobs="graft_job_info",
    panels=(
        Panel(
            title="Jobs by phase",
            text="Custom resources by the phase that `kubectl get training` shows.",
            queries=(
                Query(
                    expression=f"sum by (phase) (graft_jobs{{{_HERE}}})",
                    legend="{{phase}}",
                ),
            ),
        ),
        Panel(
            title="Unfinished jobs by kind",
            text="Without those that are complete or failed.",
            queries=(
                Query(
                    expression=f'sum by (kind) (graft_jobs{{{_HERE}, phase!~"Complete|Failed"}})',
                    legend="{{kind}}",
                ),
            ),
        ),
        Panel(
            title="Processes that train",
            text="World sizes of all running gangs, added up.",
            queries=(
                Query(
                    expression="sum by (namespace) "
                    f"(max by (namespace, job) (graft_train_world_size{{{_THESE}}}))",
                    legend="{{namespace}}",
                ),
            ),
        ),
        Panel(
            title="Seconds in the queue",
            text="From creation to admission, of jobs admitted in the last hour.",
            unit="s",
            queries=_quantiles("graft_job_queue_seconds"),
        ),
        Panel(
            title="Seconds to the first step",
            text="From creation to the first step, of jobs that made it in the last hour.",
            unit="s",
            queries=_quantiles("graft_job_start_seconds"),
        ),
        Panel(
            title="Seconds to the end",
            text="From creation to the end, of jobs that ended in the last hour.",
            unit="s",
            queries=_quantiles("graft_job_duration_seconds"),
        ),
        Panel(
            title="New attempts by class",
            text="Attempts after the first in an hour, by the class of what ended the one before.",
            queries=(
                Query(
                    expression="sum by (class) "
                    f"(increase(graft_job_attempts_total{{{_HERE}}}[1h]))",
                    legend="{{class}}",
                ),
            ),
        ),
        Panel(
            title="Failed jobs by reason",
            text="Jobs that failed in an hour.",
            queries=(
                Query(
                    expression="sum by (reason) "
                    f"(increase(graft_job_failures_total{{{_HERE}}}[1h]))",
                    legend="{{reason}}",
                ),
            ),
        ),
        Panel(
            title="Where the time went",
            text="Of jobs that ended in an hour, in all namespaces: steps that were kept"
            " (productive) and everything else.",
            unit="s",
            queries=(
                Query(
                    expression="sum by (part) (increase(graft_job_time_seconds_total[1h]))",
                    legend="{{part}}",
                ),
            ),
        ),
        Panel(
            title="Goodput",
            text="Share of steps that were kept in the whole time, from creation to the end, of"
            " jobs that ended in the last six hours, in all namespaces.",
            unit="percentunit",
            queries=(
                Query(
                    expression='sum(increase(graft_job_time_seconds_total{part="productive"}[6h]))'
                    " / sum(increase(graft_job_time_seconds_total[6h]))",
                    legend="goodput",
                ),
            ),
        ),
        Panel(
            title="Tokens per second",
            text="Real tokens of all running jobs, padding not counted.",
            queries=(
                Query(
                    expression="sum by (namespace) (max by (namespace, job) "
                    f"(rate(graft_train_tokens_total{{{_THESE}}}[5m])))",
                    legend="{{namespace}}",
                ),
            ),
        ),
        Panel(
            title="Jobs that run now",
            text="Jobs whose gang is formed or forms.",
            form="stat",
            queries=(Query(expression=f"sum({_ACTIVE})", legend="jobs"),),
        ),
        Panel(
            title="Unfinished jobs",
            text="At most 1000; what each does and what it starts from.",
            form="table",
            width=24,
            queries=(
                Query(
                    expression="max by (namespace, job, kind, method, model) "
                    f"(graft_job_info{{{_THESE}}})"
                ),
            ),
        ),
    ),
)

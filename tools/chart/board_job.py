"""One job, or a few to compare: does it learn, how fast, what would be lost."""

from __future__ import annotations

from .panels import Board, Panel, Query

_THESE = 'namespace=~"$namespace", job=~"$job"'
_RATE = "[$__rate_interval]"


def _of_job(name: str) -> Query:
    """Rank 0 speaks for the job; the pods agree, so the largest is the newest."""
    return Query(
        expression=f"max by (namespace, job) ({name}{{{_THESE}}})", legend="{{namespace}}/{{job}}"
    )


def _of_rank(name: str) -> Query:
    return Query(
        expression=f"sum by (job, pod, rank) (rate({name}{{{_THESE}}}{_RATE}))",
        legend="{{job}} {{pod}} rank {{rank}}",
    )


JOB = Board(
    name="job",
    title="Graft / Job",
    jobs="graft_train_step",
    panels=(
        Panel(
            title="Progress",
            text="Steps done of all steps.",
            unit="percentunit",
            form="stat",
            queries=(
                Query(
                    expression=f"max by (namespace, job) (graft_train_step{{{_THESE}}}) / "
                    f"max by (namespace, job) (graft_train_steps_planned{{{_THESE}}})",
                    legend="{{namespace}}/{{job}}",
                ),
            ),
        ),
        Panel(
            title="Loss",
            text="Mean loss of the newest step's global batch.",
            queries=(_of_job("graft_train_loss"),),
        ),
        Panel(
            title="Evaluation",
            text="Newest value of each metric, by split.",
            queries=(
                Query(
                    expression="max by (namespace, job, name, split) "
                    f"(graft_train_metric{{{_THESE}}})",
                    legend="{{job}} {{split}} {{name}}",
                ),
            ),
        ),
        Panel(
            title="Step time by rank, p95",
            text="One rank above the others is a straggler; all of them together is the model.",
            unit="s",
            queries=(
                Query(
                    expression="histogram_quantile(0.95, sum by (job, pod, rank, le) "
                    f"(rate(graft_train_step_duration_seconds_bucket{{{_THESE}}}{_RATE})))",
                    legend="{{job}} {{pod}} rank {{rank}}",
                ),
            ),
        ),
        Panel(
            title="Waiting for data",
            text="Share of the time that a rank waits for its next batch.",
            unit="percentunit",
            queries=(_of_rank("graft_train_data_wait_seconds_total"),),
        ),
        Panel(
            title="Tokens per second",
            text="Real tokens of all processes, padding not counted.",
            queries=(
                Query(
                    expression="max by (namespace, job) "
                    f"(rate(graft_train_tokens_total{{{_THESE}}}{_RATE}))",
                    legend="{{namespace}}/{{job}}",
                ),
            ),
        ),
        Panel(
            title="Real tokens",
            text="Share of real tokens among those computed; the rest is padding.",
            unit="percentunit",
            queries=(_of_job("graft_train_real_tokens_ratio"),),
        ),
        Panel(
            title="Where the time of the training went",
            text="Since step 0: steps that were kept (productive), evaluations, checkpoints, what"
            " was done again (lost), starts.",
            unit="s",
            queries=(
                Query(
                    expression="max by (namespace, job, part) "
                    f"(graft_train_time_seconds{{{_THESE}}})",
                    legend="{{namespace}}/{{job}} {{part}}",
                ),
            ),
        ),
        Panel(
            title="Model FLOPs utilisation (MFU)",
            text="Share of the device's peak that the model's own arithmetic uses.",
            unit="percentunit",
            queries=(_of_job("graft_train_mfu_ratio"),),
        ),
        Panel(
            title="Peak memory",
            text="Most memory that a process of the pod held.",
            unit="bytes",
            queries=(
                Query(
                    expression=f"max by (job, pod) (graft_train_memory_peak_bytes{{{_THESE}}})",
                    legend="{{job}} {{pod}}",
                ),
            ),
        ),
        Panel(
            title="World size",
            text="Processes that train together.",
            queries=(_of_job("graft_train_world_size"),),
        ),
        Panel(
            title="Age of the newest checkpoint",
            text="What would be lost if the job died now.",
            unit="s",
            queries=(
                Query(
                    expression="time() - max by (namespace, job) "
                    f"(graft_train_last_checkpoint_timestamp_seconds{{{_THESE}}})",
                    legend="{{namespace}}/{{job}}",
                ),
            ),
        ),
        Panel(
            title="Duration of checkpoints",
            text="Seconds of the newest save.",
            unit="s",
            queries=(_of_job("graft_train_checkpoint_duration_seconds"),),
        ),
        Panel(
            title="Size of checkpoints",
            text="Bytes of the newest save.",
            unit="bytes",
            queries=(_of_job("graft_train_checkpoint_bytes"),),
        ),
        Panel(
            title="Learning rate",
            text="Learning rate of the newest step.",
            unit="sci",
            queries=(_of_job("graft_train_learning_rate"),),
        ),
        Panel(
            title="Steps that were not finite",
            text="Steps skipped in an hour because loss or gradient was NaN or infinite.",
            queries=(
                Query(
                    expression="max by (namespace, job) "
                    f"(increase(graft_train_nonfinite_total{{{_THESE}}}[1h]))",
                    legend="{{namespace}}/{{job}}",
                ),
            ),
        ),
        Panel(
            title="Epoch",
            text="Passes over the training split.",
            queries=(_of_job("graft_train_epoch"),),
        ),
    ),
)

"""The metric that chooses the best state of an app's model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graft_worker.evaluate import metrics

if TYPE_CHECKING:
    from graft_worker.apps.app import App
    from graft_worker.train.settings import Mode

LOSS = "loss"  # measured for every app


def choice(app: App, metric: str | None) -> tuple[str, Mode]:
    """The job's metric by its full name, else the app's; and its usual mode.

    Raises:
        ConfigError: there is no such metric.
    """
    if metric == LOSS:
        return LOSS, "min"
    if metric is None:
        return app.score.metric, app.score.mode
    name = metrics.canonical(metric, app.problem)
    return name, metrics.modes()[name]

"""Values of what watches the operator and the jobs; all of it is off by default."""

from __future__ import annotations

from pydantic import Field

from .parts import Interval, Labels, Part


class ServiceMonitor(Part):
    """How Prometheus finds the operator."""

    enabled: bool = Field(default=False, description="Make a ServiceMonitor for the operator.")
    labels: Labels = Field({}, description="Labels by which your Prometheus selects it.")
    interval: Interval = Field("30s", description="Time between two scrapes.")


class PodMonitor(Part):
    """How Prometheus finds the workers."""

    enabled: bool = Field(
        default=False,
        description="Make a PodMonitor for the workers of all jobs and all model servers.",
    )
    labels: Labels = Field({}, description="Labels by which your Prometheus selects it.")
    interval: Interval = Field("15s", description="Time between two scrapes.")


class Rules(Part):
    """Alerts."""

    enabled: bool = Field(default=False, description="Make a PrometheusRule with the alerts.")
    labels: Labels = Field({}, description="Labels by which your Prometheus selects it.")
    runbooks: str = Field(
        "docs/guides/alerts.md",
        description="Address of the runbooks; each alert adds `#` and its name.",
    )


class Dashboards(Part):
    """Boards for Grafana."""

    enabled: bool = Field(default=False, description="Make a ConfigMap for each dashboard.")
    labels: Labels = Field(
        {"grafana_dashboard": "1"}, description="Labels by which Grafana's sidecar finds them."
    )


class Monitoring(Part):
    """What watches the operator and the jobs."""

    service_monitor: ServiceMonitor = Field(
        ServiceMonitor(), description="How Prometheus finds the operator."
    )
    pod_monitor: PodMonitor = Field(PodMonitor(), description="How Prometheus finds the workers.")
    rules: Rules = Field(Rules(), description="Alerts, each with a runbook.")
    dashboards: Dashboards = Field(Dashboards(), description="Boards for Grafana.")

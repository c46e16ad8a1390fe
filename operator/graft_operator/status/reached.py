"""Whether requests of a Gateway reach a ServeDeployment, and what is missing where they do not."""

from __future__ import annotations

from graft_operator.observed import Observed, Subject, memory
from graft_operator.policies.verdict import Finding, false, true
from graft_operator.settings import Settings

ROUTED = "Routed"
PODS = "until then a canary goes by pods"


def findings(subject: Subject, seen: Observed, settings: Settings) -> dict[str, Finding]:
    """The condition of a deployment that names a Gateway; none where none ever was named."""
    if subject.spec.get("gateway"):
        return {ROUTED: _routed(subject, seen, settings)}
    known = ROUTED in memory(subject).conditions
    return {ROUTED: false("NotAsked", "spec.gateway is not set")} if known else {}


def _routed(subject: Subject, seen: Observed, settings: Settings) -> Finding:
    if not settings.gateway:
        text = "spec.gateway: the operator may not write HTTPRoutes"
        return false("GatewayOff", f"{text}; set serve.gateway: true in the chart; {PODS}")
    if not seen.apis.routes:
        text = "spec.gateway: the cluster does not know HTTPRoutes of gateway.networking.k8s.io/v1"
        return false("GatewayMissing", f"{text}; install Gateway API and a controller; {PODS}")
    return _answered(subject, seen)


def _answered(subject: Subject, seen: Observed) -> Finding:
    """What the controller of the Gateway has said."""
    asked, route = subject.spec["gateway"], seen.route
    gateway = f"Gateway {asked.get('namespace') or subject.namespace}/{asked['name']}"
    if route is None or route.accepted is None:
        text = f"no controller has answered for {gateway} yet; see that it exists and is programmed"
        return Finding(status="Unknown", reason="Pending", message=text)
    if not route.accepted:
        return false("NotAccepted", f"{gateway} does not take the route: {route.message}")
    return true("Accepted", f"{gateway} sends requests here")

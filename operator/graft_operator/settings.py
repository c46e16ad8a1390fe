"""What an administrator chooses for the operator, from environment variables and the chart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from graft_api.errors import ConfigError
from graft_api.vocabulary import STORE_URI

PREFIX = "GRAFT_OPERATOR_"


def _words(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(word for word in (part.strip() for part in value.split(",")) if word)


def _data(value: object) -> object:
    return json.loads(value or "{}") if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Data = Annotated[dict[str, Any], BeforeValidator(_data)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseModel):
    """The operator's settings; each is read from GRAFT_OPERATOR_ and its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    namespace: str = "default"
    """Namespace of the operator itself; holds the Lease."""
    namespaces: Words = ()
    """Namespaces whose jobs are run; empty: all."""
    identity: str = "graft-operator"
    """Name of this replica, unique among replicas; the pod's name."""
    leader_election: bool = True
    """Whether a Lease decides which replica acts."""
    health_host: str = ""
    """Address of the health server; empty: all."""
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port of /healthz, /readyz and /metrics."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    worker_image: str = "graft-worker:latest"
    """Image of workers whose job names none."""
    serve_image: str = "graft-serve:latest"
    """Image of the model servers."""
    gateway: bool = False
    """Whether HTTPRoutes are written for deployments that name a Gateway."""
    prometheus: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """Prometheus that has the servers' queues, for KEDA; empty: KEDA is not used."""
    image_pull_policy: str = "IfNotPresent"
    """Pull policy of the workers' image."""
    image_pull_secrets: Words = ()
    """Names of the pull secrets of the workers' image."""
    service_account: str = "default"
    """Service account of the workers; they get no token of it."""
    store_claim: str = "graft-store"
    """Claim of the store, in each job's namespace."""
    store_create: Data = Field(default_factory=dict)
    """Spec of the claim that is made where it is missing; empty: it is never made."""
    store_uri: Annotated[str, Field(pattern=rf"^({STORE_URI})?$")] = ""
    """s3:// prefix of the stores, one below it for each namespace; empty: the claim."""
    store_secret: str = ""
    """Secret whose keys (AWS_ACCESS_KEY_ID, ...) the workers get with an s3:// store."""
    store_scratch: str = ""
    """Most that a pod keeps on its node's disk with an s3:// store; empty: no limit."""
    control_key_file: str = ""
    """File with the key of the workers' control tokens; empty: requests to workers are off."""
    control_key: bytes = Field(default=b"", repr=False)
    """Content of that file; never read from the environment."""

    threads: Annotated[int, Field(ge=1, le=256)] = 32
    """Reconciles at once, each with a connection of its own to the API server."""
    requests_per_second: Seconds = 500.0
    """Most requests to the API server."""
    resync_seconds: Seconds = 300.0
    """Between two full lists that heal what events missed."""
    progress_seconds: Seconds = 5.0
    """Between two looks at a running job's progress."""
    status_seconds: Seconds = 15.0
    """Between two status writes of a job that only progressed."""
    status_writes_per_second: Seconds = 20.0
    """Most status writes that only say progress, of all jobs together."""
    collective_seconds: Seconds = 120.0
    """Time-out of collectives, after which a gang notices a silent member."""
    keep_alive_seconds: Seconds = 5.0
    """Between two signs of life of a launcher."""
    keep_alive_attempts: Annotated[int, Field(ge=2, le=100)] = 3
    """Missing signs of life after which an elastic gang goes on without a launcher."""
    grace_seconds: Annotated[int, Field(ge=30, le=3600)] = 120
    """Time that a worker has for its checkpoint when its pod is asked to stop."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that the environment gives, the rest by default.

    Raises:
        ConfigError: with every variable whose value cannot be used.
    """
    chosen = [name for name in Settings.model_fields if name != "control_key"]
    names = {f"{PREFIX}{name.upper()}": name for name in chosen}
    given = {names[key]: value for key, value in environ.items() if key in names}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        faults = (f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigError("\n".join(faults), hint="see the values of the chart") from None

"""The chart's values: names, defaults, bounds, and the sentence that explains each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from graft_api.vocabulary import STORE_URI

from .monitoring import Monitoring
from .parts import (
    AccessMode,
    Digest,
    Labels,
    Name,
    NameOrNone,
    Object,
    Part,
    Port,
    PullPolicy,
    Quantity,
    QuantityOrNone,
    Seconds,
)


class Image(Part):
    """An image by digest, or by tag."""

    repository: str = Field("graft/operator", description="Name of the image, without a tag.")
    tag: str = Field("", description="Tag of the image; empty is the chart's appVersion.")
    digest: Digest = Field("", description="Digest, sha256:…; it wins over the tag.")
    pull_policy: PullPolicy = Field("IfNotPresent", description="When nodes pull the image.")


class Control(Part):
    """The key from which the tokens are derived that ask workers for a checkpoint."""

    existing_secret: NameOrNone = Field(
        "",
        description="Secret of yours that holds the key under `key`; empty: a random key is made"
        " at the first install and kept. Name one where manifests are rendered without a cluster.",
    )


class Worker(Part):
    """What the pods of every job get unless the job says otherwise."""

    image: Image = Field(
        Image(repository="graft/worker"), description="Image of workers whose job names none."
    )
    image_pull_secrets: list[Name] = Field(
        [], description="Names of pull secrets, in the jobs' namespaces, for the workers' image."
    )
    service_account: Name = Field(
        "default", description="Service account of the workers; they get no token of it."
    )
    grace_seconds: Annotated[int, Field(ge=30, le=3600)] = Field(
        120, description="Seconds that a worker has to save when its pod is asked to stop."
    )
    collective_seconds: Seconds = Field(
        120, description="Seconds after which a gang notices a member that went silent."
    )
    keep_alive_seconds: Seconds = Field(
        5, description="Seconds between two signs of life of a launcher."
    )
    keep_alive_attempts: Annotated[int, Field(ge=2, le=100)] = Field(
        3, description="Missing signs after which an elastic gang goes on without a launcher."
    )


class Serve(Part):
    """What the pods of every ServeDeployment get."""

    image: Image = Field(Image(repository="graft/serve"), description="Image of model servers.")
    prometheus: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = Field(
        "",
        description="Address of the Prometheus that scrapes the servers, as KEDA reaches it;"
        " empty: KEDA is not used. Brings the rights on its ScaledObjects.",
    )
    gateway: bool = Field(
        default=False,
        description="Write an HTTPRoute for a deployment that names a Gateway; brings the rights.",
    )


class ObjectStore(Part):
    """A store in an S3 bucket instead of a claim."""

    uri: Annotated[str, Field(pattern=rf"^({STORE_URI})?$")] = Field(
        "", description="s3:// prefix of the stores: each namespace has its own below it."
    )
    secret_name: NameOrNone = Field(
        "", description="Secret in each job's namespace with AWS_ACCESS_KEY_ID and its like."
    )
    scratch: QuantityOrNone = Field(
        "", description="Most that a pod keeps of it on its node's disk; empty: no limit."
    )


class Store(Part):
    """Where shards, checkpoints and models live."""

    claim: Name = Field("graft-store", description="Claim of the store in each job's namespace.")
    create: bool = Field(
        default=True, description="Make the claim in a job's namespace where it misses."
    )
    size: Quantity = Field("100Gi", description="Size of a claim that is made.")
    storage_class_name: str = Field(
        "", description="Its storage class; empty: the cluster's default; `-`: none at all."
    )
    access_modes: list[AccessMode] = Field(
        ["ReadWriteMany"], min_length=1, description="Its access modes; gangs need ReadWriteMany."
    )
    s3: ObjectStore = Field(ObjectStore(), description="A bucket instead of a claim.")


class Reconcile(Part):
    """How hard the operator works."""

    threads: Annotated[int, Field(ge=1, le=256)] = Field(
        32, description="Jobs worked on at once, each with a connection to the API server."
    )
    requests_per_second: Seconds = Field(500, description="Most requests to the API server.")
    resync_seconds: Seconds = Field(
        300, description="Seconds between two full lists, which heal what events missed."
    )
    progress_seconds: Seconds = Field(
        5, description="Seconds between two looks at a running job's progress."
    )
    status_seconds: Seconds = Field(
        15, description="Seconds between two status writes of a job that only progressed."
    )
    status_writes_per_second: Seconds = Field(
        20, description="Most status writes that only say progress, of all jobs together."
    )


class Crds(Part):
    """The custom resource definitions."""

    install: bool = Field(
        default=True,
        description="Install and upgrade the definitions; they stay when the chart is uninstalled.",
    )


class Kueue(Part):
    """Queueing by Kueue."""

    enabled: bool = Field(
        default=False, description="Give the operator rights on Kueue's workloads."
    )


class NetworkPolicy(Part):
    """Who may speak to the operator, and to whom it speaks."""

    enabled: bool = Field(
        default=False, description="Let in scrapers, let out DNS, API server, workers."
    )
    labels: Labels = Field({}, description="More labels of the policy.")
    api_server_ports: list[Port] = Field(
        [443, 6443], min_length=1, description="Ports at which the API server is reached."
    )


class DisruptionBudget(Part):
    """Voluntary disruptions of the operator."""

    enabled: bool = Field(
        default=True, description="At most one replica at a time, where there are more."
    )
    labels: Labels = Field({}, description="More labels of the budget.")


class Values(Part):
    """Every value of the chart."""

    image: Image = Field(Image(), description="Image of the operator.")
    image_pull_secrets: list[Name] = Field(
        [], description="Names of pull secrets for the operator's image."
    )
    replicas: Annotated[int, Field(ge=0, le=5)] = Field(
        1, description="Replicas; one acts, the others take over when it is gone."
    )
    leader_election: bool = Field(
        default=True,
        description="Whether a Lease decides who acts; needed for more than one replica.",
    )
    namespaces: list[Name] = Field(
        [], description="Namespaces whose jobs are run, with Roles only there; empty: all."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="How much the operator logs."
    )
    resources: Object = Field(
        {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        description="Resources of the operator's container.",
    )
    node_selector: Labels = Field({}, description="Labels of the nodes that may run the operator.")
    tolerations: list[Object] = Field([], description="Taints that the operator tolerates.")
    affinity: Object = Field({}, description="Affinity of the operator's pods.")
    priority_class_name: str = Field("", description="Priority class of the operator's pods.")
    pod_annotations: Labels = Field({}, description="Annotations of the operator's pods.")
    control: Control = Field(Control(), description="Key of the workers' control tokens.")
    worker: Worker = Field(Worker(), description="What the pods of every job get.")
    serve: Serve = Field(Serve(), description="What the pods of every ServeDeployment get.")
    store: Store = Field(Store(), description="Where shards, checkpoints and models live.")
    reconcile: Reconcile = Field(Reconcile(), description="How hard the operator works.")
    crds: Crds = Field(Crds(), description="The custom resource definitions.")
    kueue: Kueue = Field(Kueue(), description="Queueing by Kueue.")
    network_policy: NetworkPolicy = Field(
        NetworkPolicy(), description="Who may speak to the operator, and to whom it speaks."
    )
    pod_disruption_budget: DisruptionBudget = Field(
        DisruptionBudget(), description="Voluntary disruptions of the operator."
    )
    monitoring: Monitoring = Field(Monitoring(), description="Scraping, alerts and dashboards.")

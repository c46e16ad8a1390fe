"""The words that more than one part must spell alike: environment, exit codes, files, reasons."""

from __future__ import annotations

from enum import IntEnum, StrEnum

GROUP = "graft.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

STORE_URI = r"s3://[^/\s]+(/[^\s]*)?"  # how the address of a store in a bucket looks

RESERVED_PREFIXES = ("PET_", "TORCHELASTIC_", "GRAFT_")


class Env(StrEnum):
    """Environment variables that a worker reads; the settings themselves travel in one file."""

    JOB_FILE = "GRAFT_JOB_FILE"  # the resolved job as JSON
    STORE = "GRAFT_STORE"  # root of the store: cache/, jobs/, artefacts/
    STORE_URI = "GRAFT_STORE_URI"  # s3:// prefix where the store is, if that root is its copy
    JOB_DIR = "GRAFT_JOB_DIR"  # this job's folder in the store
    JOB_UID = "GRAFT_JOB_UID"
    ATTEMPT = "GRAFT_ATTEMPT"  # whole number from 1
    METRICS_HOST = "GRAFT_METRICS_HOST"  # address to listen on; this machine alone by default
    METRICS_PORT = "GRAFT_METRICS_PORT"  # 0: any free port
    STOP_FILE = "GRAFT_STOP_FILE"  # its appearance asks for "save, then stop"
    TERMINATION_FILE = "GRAFT_TERMINATION_FILE"  # where the last words go, as JSON
    PARENT = "GRAFT_PARENT_PID"  # a stage saves and stops when this process is gone
    ZOO = "GRAFT_ZOO"  # folder of model folders, one per zoo name
    DATA = "GRAFT_DATA"  # folder of real data sets, for tests
    CONTROL_HASH = "GRAFT_CONTROL_HASH"  # SHA-256 in hex of the token that may ask for a checkpoint
    COLLECTIVE_SECONDS = "GRAFT_COLLECTIVE_SECONDS"  # how long an exchange waits for lost peers
    RENDEZVOUS_PORT = "GRAFT_RENDEZVOUS_PORT"  # of the store pod; Port.RENDEZVOUS by default
    RENDEZVOUS_HEALTH_PORT = "GRAFT_RENDEZVOUS_HEALTH_PORT"  # its /healthz
    FAULTS_ENABLED = "GRAFT_FAULTS_ENABLED"  # 1: GRAFT_FAULT_AT is obeyed, for rehearsals
    FAULT_AT = "GRAFT_FAULT_AT"  # rank:step:kind[:argument][@attempt]
    PROFILE = "GRAFT_PROFILE"  # 1: a few steps are recorded, see StoreFile.PROFILE


class ProfileFile(StrEnum):
    """Files of a recording."""

    TRACE = "trace.json"  # a time line as Chrome and Perfetto read it
    TABLE = "table.txt"  # where the time goes
    FLAMES = "flame.svg"  # which calls took how long, as a picture
    STACKS = "stacks.txt"  # the same as folded stacks


class Port(IntEnum):
    """Ports inside the pods of a job."""

    METRICS = 9400  # /metrics, /progress, /ready, /checkpoint of every worker pod
    RENDEZVOUS = 29400  # the store pod's TCPStore
    RENDEZVOUS_HEALTH = 29401  # the store pod's /healthz


class ServePort(IntEnum):
    """Ports inside the pods of a ServeDeployment."""

    REQUESTS = 8000
    METRICS = 9400


CONTROL_HEADER = "X-Graft-Token"  # of POST /checkpoint


class Label(StrEnum):
    """Labels that the operator writes on every child and pod, by which they are found again."""

    JOB = f"{GROUP}/job"  # name of the job
    KIND = f"{GROUP}/kind"  # its kind, such as TransferJob
    ATTEMPT = f"{GROUP}/attempt"  # whole number from 1
    ROLE = f"{GROUP}/role"  # a Role
    VARIANT = f"{GROUP}/variant"  # a Variant, on pods that answer requests
    UID = f"{GROUP}/uid"  # of the job: a later job of the same name is another


class Role(StrEnum):
    """What a pod of a job does."""

    PREPARE = "prepare"  # reads and tokenises
    WORKER = "worker"  # trains
    RENDEZVOUS = "rendezvous"  # the store in which the workers meet
    SERVER = "server"  # answers requests


class Variant(StrEnum):
    """Which of its models a pod of a ServeDeployment answers with."""

    STABLE = "stable"  # the one that is proven
    CANARY = "canary"  # the one on trial


class Annotation(StrEnum):
    """Annotations that the operator writes on what it makes."""

    PLAN = f"{GROUP}/plan"  # on a batch Job: digest of the whole plan that it belongs to
    OBJECT = f"{GROUP}/object"  # on a child of a ServeDeployment: digest of what it was made as
    JOB = f"{GROUP}/resolved-job"  # on a pod: the resolved job, mounted as a file


class ExitCode(IntEnum):
    """How a worker ends; after sysexits."""

    DONE = 0
    FAILED = 1
    CONFIG = 64  # bad configuration
    DATA = 65  # data set invalid or corrupt
    WORLD = 69  # fewer processes than workers.min
    HUNG = 70  # no step was finished in time
    NODE = 71  # this node is bad
    STORE = 74  # the store cannot be written or read
    STOPPED = 75  # stopped on request, checkpoint saved


class FailureClass(StrEnum):
    """Who has to act on a failure; decides whether it is tried again."""

    CONFIG = "ConfigError"
    DATA = "DataError"
    USER = "UserError"
    INFRASTRUCTURE = "InfrastructureError"
    DISRUPTION = "Disruption"


class StoreFile(StrEnum):
    """Files and folders inside a job's folder of the store."""

    JOB = "job.json"  # the resolved job that made the folder
    PREPARED = "prepared.json"  # what the prepare stage found, see graft_worker.data.prepared
    CHECKPOINTS = "checkpoints"
    PROGRESS = "progress.json"  # newest ProgressReport of rank 0
    METRICS = "metrics.jsonl"  # one line per report: the curves
    RESULT = "result.json"  # written last: the completion marker
    TERMINATION = "termination.json"
    LOGS = "logs"
    COMPILED = "compiled"  # code for the layers, one folder per version of torch and machine
    PROFILE = "profile"  # attempt-N/: what GRAFT_PROFILE recorded

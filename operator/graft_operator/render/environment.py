"""The environment contract of worker pods; no size that may change stands in it."""

from __future__ import annotations

import json
from typing import Any

from graft_api.vocabulary import Env, Port, Role
from graft_operator.render.attempt import Attempt

JOB_FOLDER = "/graft/job"
JOB_FILE = "job.json"
STORE = "/graft/store"
TERMINATION = "/dev/termination-log"
FIXED_ATTEMPTS = 24  # signs of life of a fixed gang: clocks may be a minute apart
NO_LIMIT = 1_000_000  # restarts of an elastic gang: each one that leaves costs the others one

Variable = dict[str, Any]


def variables(attempt: Attempt) -> list[Variable]:
    """Every variable of the worker container, sorted by name."""
    named = {"HOME": "/tmp", "PYTHONUNBUFFERED": "1"}  # noqa: S108  (an emptyDir of the pod's own)
    listed = {name: _plain(name, value) for name, value in named.items()}
    for variable in attempt.stage.env:
        reference = json.loads(variable.value_from) if variable.value_from else None
        listed[variable.name] = (
            {"name": variable.name, "valueFrom": reference}
            if reference
            else _plain(variable.name, variable.value)
        )
    listed |= {name: _plain(name, value) for name, value in _contract(attempt).items()}
    if attempt.role == Role.WORKER:
        listed |= {name: _plain(name, value) for name, value in _size(attempt).items()}
    if attempt.gang:
        listed |= {name: _plain(name, value) for name, value in _torchrun(attempt).items()}
        listed["PET_LOCAL_ADDR"] = _field("PET_LOCAL_ADDR", "status.podIP")
    return [listed[name] for name in sorted(listed)]


def _contract(attempt: Attempt) -> dict[str, str]:
    subject, settings = attempt.subject, attempt.settings
    folder = f"jobs/{subject.kind.lower()}/{subject.name}-{subject.uid[:8]}"
    contract = {
        Env.JOB_FILE: f"{JOB_FOLDER}/{JOB_FILE}",
        Env.STORE: STORE,
        Env.JOB_DIR: f"{STORE}/{folder}",
        Env.JOB_UID: subject.uid,
        Env.ATTEMPT: str(attempt.number),
        Env.METRICS_HOST: "0.0.0.0",  # noqa: S104  (the pod's own address is not known here)
        Env.METRICS_PORT: str(int(Port.METRICS)),
        Env.TERMINATION_FILE: TERMINATION,
        Env.COLLECTIVE_SECONDS: f"{settings.collective_seconds:g}",
    }
    if settings.store_uri:
        contract[Env.STORE_URI] = f"{settings.store_uri.rstrip('/')}/{subject.namespace}"
    if attempt.control_hash:
        contract[Env.CONTROL_HASH] = attempt.control_hash
    return {str(name): value for name, value in contract.items()}


def _size(attempt: Attempt) -> dict[str, str]:
    gang = attempt.stage.gang
    return {
        "PET_NNODES": f"{gang.min}:{gang.max}",
        "PET_NPROC_PER_NODE": str(gang.processes),
    }


def _torchrun(attempt: Attempt) -> dict[str, str]:
    settings = attempt.settings
    signs = settings.keep_alive_attempts if attempt.elastic else FIXED_ATTEMPTS
    timing = {
        "is_host": "false",
        "join_timeout": f"{attempt.stage.budget.start_seconds:g}",
        # Many launchers look once a second: within one second some would miss the call.
        "last_call_timeout": "2" if attempt.elastic else "5",
        "read_timeout": "60",
        "keep_alive_interval": f"{settings.keep_alive_seconds:g}",
        "keep_alive_max_attempt": str(signs),
    }
    return {
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ENDPOINT": f"{attempt.store_name}.{attempt.subject.namespace}:{Port.RENDEZVOUS}",
        "PET_RDZV_ID": f"{attempt.subject.uid}-{attempt.number}",
        "PET_RDZV_CONF": ",".join(f"{key}={value}" for key, value in timing.items()),
        "PET_MAX_RESTARTS": str(NO_LIMIT if attempt.elastic else 1),
        "PET_MONITOR_INTERVAL": "0.5",
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": str(settings.grace_seconds - 15),
        "TORCH_NCCL_ASYNC_ERROR_HANDLING": "1",
        "TORCH_NCCL_DUMP_ON_TIMEOUT": "1",
        "TORCH_NCCL_TRACE_BUFFER_SIZE": "2000",
    }


def _plain(name: str, value: str) -> Variable:
    return {"name": str(name), "value": value}


def _field(name: str, path: str) -> Variable:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

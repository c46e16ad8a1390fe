"""The stages that kinds have in common: one that prepares, one that trains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from .plan import Budget, Gang, Resources, Stage, Variable
from .quantities import number
from .scalars import seconds
from .volumes import mounts
from .workers import per_worker

if TYPE_CHECKING:
    from .data import Data, Dataset
    from .model import Model
    from .resources import Resources as AskedResources
    from .run import Run
    from .workers import Variable as AskedVariable
    from .workers import Workers

PROGRAM = ("python", "-m", "graft_worker")
THREADS = "OMP_NUM_THREADS"


class Spec(Protocol):
    """What the spec of every kind that trains has."""

    @property
    def data(self) -> Data:
        """What is read."""
        ...

    @property
    def workers(self) -> Workers:
        """The gang."""
        ...

    @property
    def run(self) -> Run:
        """Restarts and deadlines."""
        ...


def prepare(spec: Spec, *, models: tuple[Model, ...]) -> Stage:
    """The stage that reads, checks and tokenises; the models are those whose files it reads."""
    asked = spec.data.prepare
    datasets = tuple(_datasets(spec.data))
    return Stage(
        name="prepare",
        argv=(*PROGRAM, "prepare"),
        gang=Gang(min=asked.workers, max=asked.workers, desired=asked.workers),
        resources=_resources(asked.resources),
        budget=_budget(spec.run),
        env=_environment(spec.workers.env, asked.resources, processes=1),
        mounts=mounts((*_data_uris(datasets), *_model_uris(models))),
        secrets=_secrets(datasets),
    )


def train(spec: Spec, *, models: tuple[Model, ...]) -> Stage:
    """The stage that trains and publishes, after the one that prepares."""
    gang = gang_of(spec.workers)
    asked = spec.workers.resources
    return Stage(
        name="train",
        argv=(*PROGRAM, "launch"),
        gang=gang,
        resources=_resources(asked),
        budget=_budget(spec.run),
        env=_environment(spec.workers.env, asked, processes=gang.processes),
        mounts=mounts(_model_uris(models)),
        needs=("prepare",),
    )


def gang_of(workers: Workers) -> Gang:
    """How many workers train; fixed at the wanted number where no max is given."""
    wanted = max(workers.min, workers.desired)
    processes = per_worker(workers)
    if workers.max is None:
        return Gang(min=wanted, max=wanted, desired=wanted, processes=processes)
    return Gang(min=workers.min, max=workers.max, desired=wanted, processes=processes)


def _resources(asked: AskedResources) -> Resources:
    return Resources(
        cpu=asked.cpu, memory=asked.memory, gpu=asked.gpu, gpu_resource=asked.gpu_resource
    )


def _budget(run: Run) -> Budget:
    return Budget(
        restarts=run.restarts.max,
        window_seconds=seconds(run.restarts.window),
        start_seconds=seconds(run.deadlines.start),
        active_seconds=seconds(run.deadlines.active),
    )


def _environment(
    asked: Iterable[AskedVariable], resources: AskedResources, *, processes: int
) -> tuple[Variable, ...]:
    """The user's variables, and the threads of one process unless the user names them."""
    threads = max(1, int(number(resources.cpu)) // processes)
    named = {THREADS: Variable(name=THREADS, value=str(threads))}
    named |= {variable.name: _variable(variable) for variable in asked}
    return tuple(named[name] for name in sorted(named))


def _variable(asked: AskedVariable) -> Variable:
    if asked.value_from is None:
        return Variable(name=asked.name, value=asked.value or "")
    reference = asked.value_from.model_dump_json(by_alias=True, exclude_none=True)
    return Variable(name=asked.name, value_from=reference)


def _datasets(data: Data) -> Iterator[Dataset]:
    unlabelled: Dataset | None = getattr(data, "unlabelled", None)  # not every kind has it
    every = (data.train, data.validation, data.test, unlabelled)
    return (each for each in every if each is not None)


def _data_uris(datasets: Iterable[Dataset]) -> Iterator[str]:
    for dataset in datasets:
        yield from (dataset.uri,) if dataset.uri else dataset.uris or ()


def _model_uris(models: Iterable[Model]) -> Iterator[str]:
    for model in models:
        ready = model.tokenizer.from_ if model.tokenizer else None
        yield from (uri for uri in (model.from_.uri, ready.uri if ready else None) if uri)


def _secrets(datasets: Iterable[Dataset]) -> tuple[str, ...]:
    return tuple(sorted({d.credentials.secret_name for d in datasets if d.credentials}))

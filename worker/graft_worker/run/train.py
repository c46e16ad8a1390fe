"""The train stage: every process of the gang runs this; rank 0 publishes the artefact."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from graft_api.errors import ConfigError
from graft_api.planner import gang_of
from graft_api.progress import ProgressReport
from graft_api.vocabulary import ExitCode, StoreFile
from graft_worker.config import Settings, read_settings
from graft_worker.data.prepared import Prepared
from graft_worker.data.shards import Shards
from graft_worker.distributed import splits
from graft_worker.distributed.process import Process, join
from graft_worker.run import desk, faults, lifeline, mirroring, publish
from graft_worker.run.desk import Desk
from graft_worker.run.kinds import training
from graft_worker.run.kinds.training import Training
from graft_worker.train.loop import Trainer
from graft_worker.train.settings import Examples, Recipe, Surroundings, Work
from graft_worker.train.stop_request import StopRequest

if TYPE_CHECKING:
    from graft_worker.mirror.mirror import Mirror


def main(environ: Mapping[str, str]) -> int:
    """The exit code of this process; on rank 0 the artefact and the completion marker stand then.

    Raises:
        Stopped: asked to stop, with the state saved.
        GraftError: whatever else a person can mend.
    """
    settings = read_settings(environ)
    faults.wished(environ)  # refused before anything else happens
    gang = gang_of(settings.job.spec.workers)
    stop = StopRequest(file=settings.stop_file)
    stop.listen(signal.SIGTERM, signal.SIGINT)
    patience = timedelta(seconds=settings.collective_seconds)
    gathered = join(environ, least=gang.min * gang.processes, patience=patience)
    tensor = settings.job.spec.workers.parallel.tensor
    process = splits.split(gathered, tensor, patience=patience)
    mirror = mirroring.of(settings)
    if process.leads:
        mirroring.bring_reports(mirror, settings)
    with desk.opened(settings, process, environ) as told:
        train(settings, mirror, process, told, stop)
    process.close()
    return ExitCode.DONE


def train(
    settings: Settings, mirror: Mirror, process: Process, told: Desk, stop: StopRequest
) -> None:
    """Trains from the newest checkpoint to the end and publishes. Raises as `main` does."""
    prepared = Prepared.read(settings.job_dir / StoreFile.PREPARED)
    asked = training.of(settings, prepared)
    work = Work(
        task=asked.task,
        process=process,
        recipe=_recipe(settings, asked),
        examples=_examples(settings, prepared, asked, process),
        surroundings=_surroundings(settings, mirror, told, stop),
    )
    told.rehearsal.spoil(asked.task.module)
    result = Trainer(work=work, extra=(told.rehearsal, *told.recording)).run()
    if process.leads:
        told.say("Exporting")
        made = asked.contents(result)
        told_of = asked.comparison(result, made)
        publish.publish(settings, mirror, made, result, comparison=told_of)
        told.say("Done")
        mirroring.send_reports(mirror, settings)


def _recipe(settings: Settings, asked: Training) -> Recipe:
    spec = settings.job.spec
    gang = gang_of(spec.workers)
    wish = spec.training.evaluate
    metric, usual = asked.choice(wish.metric)
    return Recipe(
        training=spec.training,
        saving=spec.checkpoint,
        metric=metric,
        mode=usual if wish.mode == "auto" else wish.mode,
        strategy=spec.workers.parallel.strategy,
        largest_world=gang.max * gang.processes // spec.workers.parallel.tensor,
    )


def _examples(
    settings: Settings, prepared: Prepared, asked: Training, process: Process
) -> Examples:
    spec = settings.job.spec
    splits = {
        name: replace(Shards.open(settings.store / split.shards), view=asked.view)
        for name, split in prepared.splits.items()
    }
    return Examples(
        train=asked.learned(splits, process),
        validation=splits.get("validation"),
        test=splits.get("test"),
        width=spec.data.max_length,
        packing=_packing(spec.training.packing, asked),
    )


def _packing(wish: str, asked: Training) -> bool:
    if wish == "always" and not asked.packs:
        raise ConfigError(
            f"spec.training.packing: always, but {asked.architecture} cannot tell packed"
            " texts apart",
            hint="use auto or never",
        )
    return asked.packs and wish != "never"


def _previous(settings: Settings) -> ProgressReport | None:
    try:
        text = (settings.job_dir / StoreFile.PROGRESS).read_text(encoding="utf-8")
        return ProgressReport.from_json(text)
    except (OSError, ValueError, TypeError):
        return None


def _surroundings(
    settings: Settings, mirror: Mirror, told: Desk, stop: StopRequest
) -> Surroundings:
    return Surroundings(
        checkpoints=mirroring.checkpoints(settings, mirror),
        report=told.reporter.publish,
        stop=stop,
        save=told.save,
        heart=told.heart,
        started=lifeline.born(),
        previous=_previous(settings),
        restarts=settings.restarts,
        job_uid=settings.uid,
        attempt=settings.attempt,
        compiled=settings.job_dir / StoreFile.COMPILED,
        environ=os.environ,
    )

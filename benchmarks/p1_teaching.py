"""P1: pretraining teaches. A loss below that of guessing, and a better start for few labels.

Nothing is timed. Both starts of a fine-tuning have the same sizes, tokenizer, rows, order and
number of steps; the random one has not read anything.
"""

from __future__ import annotations

import json
import statistics
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import outcome
from benchmarks.settings import Settings
from benchmarks.teaching import grammar
from benchmarks.teaching.guessing import guessing
from benchmarks.teaching.lessons import CHINESE, GRAMMAR, JUDGE, READ, Desk, Lesson, metric
from graft_api.pretrainjob import PretrainJob
from graft_cli import jobfile

TITLE = "pretraining teaches"
QUICK = replace(GRAMMAR, nats=0.25, points=-100.0, settings=("training.duration.steps=120",))

Result = dict[str, Any]


def run(name: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The content of the row's result file."""
    desks = folder.absolute() / "desks"
    grammar.write(desks / "grammar")
    planned = {"grammar": replace(QUICK if settings.quick else GRAMMAR, jobs=desks / "grammar")}
    if not settings.quick:
        planned["zh"] = CHINESE
    lessons: dict[str, Result] = {}
    lacking: list[str] = []
    for key, lesson in planned.items():
        desk = Desk.of(lesson, desks / key, data=settings.data)
        lessons[key] = give(lesson, desk, seeds=settings.seeds)
        lacking += faults(lesson, lessons[key])
    return outcome.told(name, TITLE, {"lessons": lessons}, faults=lacking, settings=settings)


def give(lesson: Lesson, desk: Desk, *, seeds: tuple[int, ...]) -> Result:
    """What came of a lesson."""
    status = desk.run(READ, lesson.settings)
    job = jobfile.read(str(desk.jobs / READ), settings=lesson.settings).job
    assert isinstance(job, PretrainJob)
    guessed, loss = guessing(job, desk.store), metric(status, "mlm_loss")
    starts = {start: _start(start, job, status) for start in ("pretrained", "random")}
    tuned = {
        start: {
            recipe: [_accuracy(desk, seed, (*wishes, *wanted)) for seed in seeds]
            for recipe, wanted in lesson.recipes.items()
        }
        for start, wishes in starts.items()
    }
    recipes = {start: best(of_one) for start, of_one in tuned.items()}
    found = {start: tuned[start][recipe] for start, recipe in recipes.items()}
    means = outcome.means(found)
    return {
        "title": lesson.title,
        "reading": {
            "steps": status["progress"]["step"],
            "sequences": status["dataset"]["rows"],
            "hiddenTokens": guessed.tokens,
            "guessing": _short(guessed.nats),
            "entropy": _short(guessed.entropy),
            "mlmLoss": _short(loss),
            "below": _short(guessed.entropy - loss),
            "atLeast": lesson.nats,
        },
        "tuning": {
            "rows": lesson.rows,
            "devRows": len(desk.dev.read_text(encoding="utf-8").splitlines()),
            "accuracies": found,
            "recipes": recipes,
            "everyRecipe": tuned,
            "means": means,
            "points": _short(100 * (means["pretrained"] - means["random"])),
            "atLeast": lesson.points,
        },
    }


def best(found: Mapping[str, Sequence[float]]) -> str:
    """The recipe with the highest mean over its seeds."""
    return max(found, key=lambda recipe: statistics.mean(found[recipe]))


def _start(start: str, job: PretrainJob, status: Mapping[str, Any]) -> tuple[str, ...]:
    """What a fine-tuning starts from: the file says the pretrained model."""
    if start == "pretrained":
        return ()
    config = job.spec.model.from_.config
    assert config is not None
    sizes = config.model_dump(mode="json", by_alias=True, exclude_none=True)
    tokenizer = {"from": {"uri": status["artefact"]["uri"]}}
    return (f"model={json.dumps({'from': {'config': sizes}, 'tokenizer': tokenizer})}",)


def _accuracy(desk: Desk, seed: int, wishes: tuple[str, ...]) -> float:
    known = zlib.crc32("\n".join(wishes).encode())
    named = (f"metadata.name=judge-{known:08x}-{seed}", f"training.seed={seed}")
    data = (f"data.train.uri={desk.few}", f"data.validation.uri={desk.dev}")
    return metric(desk.run(JUDGE, (*named, *data, *wishes)), "accuracy")


def faults(lesson: Lesson, result: Mapping[str, Any]) -> Iterator[str]:
    """What reading was not worth."""
    below, points = result["reading"]["below"], result["tuning"]["points"]
    if below < lesson.nats:
        yield f"{lesson.title}: {below} nats below the entropy, at least {lesson.nats} expected"
    if points < lesson.points:
        wanted = f"at least {lesson.points} expected"
        yield f"{lesson.title}: {points} points over random weights, {wanted}"


def _short(value: float) -> float:
    return round(value, 4)

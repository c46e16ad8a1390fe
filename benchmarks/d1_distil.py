"""D1: what a teacher's answers are worth: a student with them against the same on labels alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import outcome
from benchmarks.lessons import material
from benchmarks.lessons.course import SMALL, Course, Done, Recipe
from benchmarks.lessons.material import Material
from benchmarks.settings import Settings

TARGETS = {"gain": 2.0, "share": 0.97}  # points over labels alone; of the teacher's accuracy
LEAST_SEEDS = 3

_Told = Sequence[Mapping[str, Done]]  # by seed, then by the part that a model plays


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of the row. Nothing is timed: seeds run at once, and load does not matter."""
    recipe = (
        Recipe(model=SMALL, layers=1, teacher_epochs=2, steps=4) if settings.quick else Recipe()
    )
    made = (
        material.tiny(folder)
        if settings.quick
        else material.real(settings.data, folder, labelled=recipe.labelled)
    )
    courses = [Course(material=made, recipe=recipe, seed=seed) for seed in settings.seeds]
    with ThreadPoolExecutor(max_workers=len(courses)) as pool:
        told = tuple(pool.map(Course.taken, courses))
    title = f"distilling on {made.name}"
    faults = () if settings.quick else tuple(_faults(told))
    lesson = {"lesson": _lesson(made, recipe, told)}
    return outcome.told(row, title, lesson, faults=faults, settings=settings)


def _faults(told: _Told) -> Iterator[str]:
    if len(told) < LEAST_SEEDS:
        yield f"{len(told)} seeds, at least {LEAST_SEEDS} make a mean"
    for done in told:
        if done["student"].steps != done["alone"].steps:
            yield f"the student took {done['student'].steps} steps, alone {done['alone'].steps}"


def _lesson(made: Material, recipe: Recipe, told: _Told) -> Mapping[str, Any]:
    values = {name: [done[name].accuracy for done in told] for name in told[0]}
    means = {name: statistics.mean(of_one) for name, of_one in values.items()}
    return {
        "rows": made.rows(),
        "recipe": recipe.as_json(),
        "accuracy": {
            name: {"mean": round(means[name], 4), "values": values[name]} for name in values
        },
        "gain": round(100 * (means["student"] - means["alone"]), 2),
        "share": round(means["student"] / means["teacher"], 4),
        "targets": TARGETS,
        "sizeRatio": told[0]["student"].status["comparison"]["sizeRatio"],
    }

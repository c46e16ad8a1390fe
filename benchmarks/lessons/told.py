"""What a lesson's result says, in lines of the published document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Result = Mapping[str, Any]

NAMES = {
    "teacher": "teacher, six layers",
    "student": "student, with the teacher's answers",
    "alone": "the same student, on labels alone",
}


def line(result: Result) -> str:
    """One line for the terminal."""
    lesson = result["lesson"]
    means = (f"{name} {lesson['accuracy'][name]['mean']:.4f}" for name in NAMES)
    return f"{result['row']} accuracy: {', '.join(means)}; {_summary(lesson)}"


def behind(result: Result) -> Iterator[str]:
    """The table of a lesson and what stands behind it."""
    lesson = result["lesson"]
    recipe, rows = lesson["recipe"], lesson["rows"]
    yield f"Of {rows['labelled'] + rows['bare']:,} texts {rows['labelled']:,} have a label. A"
    yield "TransferJob fine-tunes the teacher on those. Students begin with"
    yield f"{recipe['layers']} of its layers and its head and take {recipe['steps']} steps of"
    yield f"{recipe['globalBatch']} rows: one with the teacher's answers to all texts, one on the"
    yield f"labelled rows alone. Accuracy is that on {rows['dev']} other rows, of the last state;"
    yield "labels alone have a rate of their own, and these rows choose the best state."
    yield ""
    seeds = result["seeds"]
    yield f"| model | mean of {len(seeds)} seeds | {' | '.join(f'seed {s}' for s in seeds)} |"
    yield f"|{'|'.join('---' for _ in range(len(seeds) + 2))}|"
    for name, shown in NAMES.items():
        found = lesson["accuracy"][name]
        values = " | ".join(f"{value:.4f}" for value in found["values"])
        yield f"| {shown} | {found['mean']:.4f} | {values} |"
    yield ""
    yield f"- {_summary(lesson)}."
    yield f"- Recipe: {', '.join(f'{name} {value}' for name, value in recipe.items())}."


def _summary(lesson: Mapping[str, Any]) -> str:
    gain, share = lesson["gain"], lesson["share"]
    return (
        f"{gain:+.1f} points over labels alone (target {lesson['targets']['gain']:+.1f}),"
        f" {share:.1%} of the teacher (target {lesson['targets']['share']:.0%})"
    )

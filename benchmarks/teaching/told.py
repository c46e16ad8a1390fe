"""What the result of lessons says, in lines of the published document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Result = Mapping[str, Any]

READING = (
    "text",
    "steps",
    "hidden tokens",
    "guessing (entropy)",
    "mlm_loss",
    "below guessing",
    "below entropy, at least",
)
TUNING = (
    "text",
    "labelled rows",
    "measured on",
    "random weights",
    "pretrained",
    "points gained, at least",
)


def line(result: Result) -> str:
    """One line for the terminal."""
    told = (
        f"{lesson['title']}: {lesson['reading']['below']:.2f} nats below the entropy,"
        f" {lesson['tuning']['points']:+.1f} points"
        for lesson in result["lessons"].values()
    )
    return f"{result['row']} {'; '.join(told)}"


def behind(result: Result) -> Iterator[str]:
    """The tables of the lessons and what they mean."""
    lessons = result["lessons"].values()
    yield "A BERT learns from plain text by `graft run`, from random weights; nothing is timed."
    yield "*Guessing* is the loss, in nats, on the tokens that the validation hides, of whoever"
    yield "knows how often each occurs in the training text and does not read what is beside it."
    yield "The entropy of these tokens themselves is lower, the more so the fewer they are."
    yield ""
    yield from _table(READING, [_reading(lesson) for lesson in lessons])
    yield ""
    yield "Then it is fine-tuned on few labelled rows, beside a model of the same sizes and"
    yield "tokenizer that has read nothing. No epoch is chosen: accuracy is the last one's, mean of"
    yield f"{len(result['seeds'])} seeds (lowest to highest), on rows whose texts were not read,"
    yield "not even without labels. Where there are several recipes each start has its best one."
    yield ""
    yield from _table(TUNING, [_tuning(lesson) for lesson in lessons])
    yield ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    yield from (f"| {' | '.join(cells)} |" for cells in rows)


def _reading(lesson: Result) -> tuple[str, ...]:
    told = lesson["reading"]
    return (
        lesson["title"],
        f"{told['steps']:,}",
        f"{told['hiddenTokens']:,}",
        f"{told['guessing']:.3f} ({told['entropy']:.3f})",
        f"{told['mlmLoss']:.3f}",
        f"{told['guessing'] - told['mlmLoss']:.3f}",
        f"{told['below']:.3f}, {told['atLeast']}",
    )


def _tuning(lesson: Result) -> tuple[str, ...]:
    told = lesson["tuning"]
    starts = (
        f"{told['means'][start]:.4f} ({min(found):.3f} to {max(found):.3f};"
        f" {told['recipes'][start]})"
        for start in ("random", "pretrained")
        if (found := told["accuracies"][start])
    )
    return (
        lesson["title"],
        str(told["rows"]),
        str(told["devRows"]),
        *starts,
        f"{told['points']:+.1f}, {told['atLeast']:g}",
    )

"""M1: memory by the size of a text, to prepare it and to read it. A count, not a time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks import figures, race, workloads
from benchmarks.figures import Figures
from benchmarks.settings import Settings

LETTERS = "abcdefghijklmnopqrst"
MOST = 500.0  # MiB that the preparation of any text may take
GROWTH = 64.0  # MiB that the largest may take more than the smallest
NAMES = {"own": "MiB of its own", "resident": "MiB with files", "seconds": "CPU seconds"}
NOTES = (
    "Lines of {name}, each with a made-up word more, so that no two are equal; a tokenizer of"
    " {ids:,} pieces is trained on them. A process prepares one text; another reads all prepared"
    " ones after each other, in batches of 64 sequences with words hidden.",
    "*Of its own* are pages that no file backs, looked at a hundred times a second; *with files*"
    " is the most that was resident, mapped libraries and shards included, which the kernel takes"
    " back when it needs the room. To read takes torch, to prepare does not.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Which texts are prepared."""

    megabytes: tuple[float, ...]
    ids: int
    words: int | None  # made-up ones, None: another in every line


FULL = Sizes(megabytes=(80, 320, 2000), ids=8000, words=None)
QUICK = Sizes(megabytes=(0.5, 2), ids=300, words=500)


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of the row."""
    sizes, name = (QUICK, "tiny") if settings.quick else (FULL, "pretrain_en_shakespeare")
    lines = _lines(settings)
    cases = dict(_measured(sizes, lines, settings, folder))
    found = Figures(
        unit="MiB at most and seconds",
        cases=cases,
        notes=[note.format(name=name, ids=sizes.ids) for note in NOTES],
        faults=tuple(_faults(sizes, cases)),
    )
    return figures.row(row, "memory with the size of the text", found, settings)


def _lines(settings: Settings) -> list[str]:
    if settings.quick:
        draw = random.Random(1)
        return [" ".join(draw.choices(workloads.words(), k=8)) for _ in range(500)]
    text = (settings.data / "pretrain_en_shakespeare" / "train.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]


def _measured(
    sizes: Sizes, lines: list[str], settings: Settings, folder: Path
) -> Iterator[tuple[str, dict[str, float]]]:
    options = {"tokenizer": "wordpiece", "ids": sizes.ids, "text": str(folder / "text.txt")}
    made = {size: folder / f"of-{size:g}" for size in sizes.megabytes}
    with race.Stable(folder) as stable:
        for size, into in made.items():
            _write(folder / "text.txt", lines, size, sizes.words)
            into.mkdir()
            runner = stable.runner(f"prepare-{size:g}", threads=settings.cores)
            asked = {**options, "folder": str(into)}
            told = runner.through("benchmarks.ours_memory:prepare", asked)
            yield _case("prepare", size), _shown(told)
        asked = {**options, "folders": [str(into) for into in made.values()]}
        runner = stable.runner("read", threads=1)
        read = runner.through("benchmarks.ours_memory:read", asked)
    for size, into in made.items():
        yield _case("read", size), _shown(read[str(into)])


def _case(stage: str, size: float) -> str:
    return f"{stage}, {size:g} MB"


def _shown(told: Mapping[str, float]) -> dict[str, float]:
    return {shown: told[name] for name, shown in NAMES.items()}


def _write(path: Path, lines: list[str], megabytes: float, words: int | None) -> None:
    """The lines again and again, each with a made-up word behind it."""
    draw, left = random.Random(1), megabytes * 1e6
    made = [_word(draw) for _ in range(words)] if words else []
    with path.open("w", encoding="utf-8") as file:
        for line in cycle(lines):
            left -= file.write(f"{line} {draw.choice(made) if made else _word(draw)}\n")
            if left <= 0:
                return


def _word(draw: random.Random) -> str:
    return "".join(draw.choices(LETTERS, k=7))


def _faults(sizes: Sizes, cases: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    own = NAMES["own"]
    for stage in ("prepare", "read"):
        least, most = (cases[_case(stage, sizes.megabytes[i])][own] for i in (0, -1))
        if most - least > GROWTH:
            yield f"to {stage} the largest takes {most - least:.0f} MiB more than the smallest"
    for size in sizes.megabytes:
        if (taken := cases[_case("prepare", size)][NAMES["resident"]]) > MOST:
            yield f"to prepare {size:g} MB takes {taken:.0f} MiB"

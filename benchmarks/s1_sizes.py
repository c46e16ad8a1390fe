"""S1: what a step of pretraining costs by length, width and number of processes.

Beside its arithmetic: what grows faster than that is a surprise, and voids the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks import corpus, figures, ours_sizes, race
from benchmarks.ceiling import Shape
from benchmarks.corpus import Corpus, CorpusSource
from benchmarks.figures import Figures
from benchmarks.settings import Settings
from benchmarks.workloads import TINY

MOST = 1.5  # times that a cost may grow faster than the arithmetic from one size to the next
CALLS = {1: "benchmarks.ours_sizes:steps", 2: "benchmarks.pair:sized"}
TIME, WORK, RATE, MEMORY = "ms", "GFLOP", "GFLOP/s of a process", "MiB of a process"
NOTES = (
    "A median step of {steps} after {warm}, one thread a process; a step reads {tokens:,} tokens of"
    " {name} end to end, in one micro-batch a process; BERT of {layers} layers,"
    " {precision}, otherwise {length} tokens a sequence and width {width}.",
    "GFLOP: useful arithmetic, forward and backward, the head on hidden tokens alone. MiB: pages"
    " of its own that a process takes at most while it trains, over what it had before.",
    "Void where time or memory grows {most:g} times as fast as the arithmetic from one line to the"
    " next.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What is varied, one at a time, around the first source."""

    base: CorpusSource
    lengths: Sequence[int]
    widths: Sequence[int]
    worlds: Sequence[int]
    steps: int

    @property
    def tokens(self) -> int:
        """Of a step, at any size."""
        return self.base.global_batch * self.base.max_length

    def families(self) -> Mapping[str, Mapping[str, CorpusSource]]:
        """Sources by what is varied and by case."""
        return {
            "length": {f"{n} tokens a sequence": self._long(n) for n in self.lengths},
            "width": {f"width {n}": self._wide(n) for n in self.widths},
            "world": {_processes(n): replace(self.base, processes=n) for n in self.worlds},
        }

    def _long(self, length: int) -> CorpusSource:
        return replace(self.base, max_length=length, global_batch=self.tokens // length)

    def _wide(self, width: int) -> CorpusSource:
        layers = self.base.shape.layers
        return replace(self.base, shape=Shape(layers=layers, hidden=width, intermediate=4 * width))


FULL = Sizes(
    base=replace(corpus.MINI, global_batch=32),
    lengths=(64, 128, 256, 512, 1024),
    widths=(128, 256, 512, 768),
    worlds=(1, 2),
    steps=16,
)
QUICK = Sizes(
    base=CorpusSource(name="tiny", shape=TINY, global_batch=8, max_length=32),
    lengths=(16, 32),
    widths=(),
    worlds=(1, 2),
    steps=2,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step takes."""

    seconds: float
    mebibytes: float
    flops: float  # of the whole gang
    processes: int
    precision: str

    def shown(self) -> Mapping[str, float]:
        """The columns of the table."""
        rate = self.flops / self.seconds / self.processes
        return {
            TIME: 1e3 * self.seconds,
            WORK: self.flops / 1e9,
            RATE: rate / 1e9,
            MEMORY: self.mebibytes,
        }

    def surprises(self, smaller: Cost) -> Iterator[str]:
        """Which costs grew much faster than the arithmetic of a process; memory may stay."""
        work = self.flops * smaller.processes / smaller.flops / self.processes
        time, memory = self.seconds / smaller.seconds, self.mebibytes / smaller.mebibytes
        for what, times, most in (("time", time, work), ("memory", memory, max(work, 1))):
            if times > MOST * most:
                yield f"{what} is {times:.2f}-fold, arithmetic {work:.2f}-fold"


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of the row."""
    sizes = QUICK if settings.quick else FULL
    families = sizes.families()
    sources = dict.fromkeys(source for of in families.values() for source in of.values())
    with race.Stable(folder) as stable:
        costs = {
            source: _cost(source, sizes, stable, settings, folder / f"{number}")
            for number, source in enumerate(sources)
        }
    precisions = {cost.precision for cost in costs.values()}
    found = Figures(
        unit="one step",
        cases={name: costs[s].shown() for of in families.values() for name, s in of.items()},
        notes=(
            *_notes(sizes, precisions),
            _attention(families["length"], costs),
        ),
        faults=() if settings.quick else tuple(surprises(families, costs)),
    )
    return figures.row(row, "cost of a step with its size", found, settings)


def surprises(
    families: Mapping[str, Mapping[str, CorpusSource]], costs: Mapping[CorpusSource, Cost]
) -> Iterator[str]:
    """Costs that grew much faster than the arithmetic, from one size to the next."""
    for of_one in families.values():
        for (_, smaller), (name, larger) in pairwise(of_one.items()):
            for found in costs[larger].surprises(costs[smaller]):
                yield f"{name}: {found}"


def _cost(
    source: CorpusSource, sizes: Sizes, stable: race.Stable, settings: Settings, folder: Path
) -> Cost:
    folder.mkdir()
    made = _made(source, stable, settings, folder)
    asked = {
        "corpus": made.options(),
        "mode": "equality",
        "threads": 1,
        "seed": settings.seeds[0],
        "steps": ours_sizes.WARM + sizes.steps,
        "training": {"microBatch": source.global_batch // source.processes},
    }
    # A process of its own, since what one has taken of memory it seldom gives back.
    told = stable.runner(folder.name, threads=1).through(CALLS[source.processes], asked)
    return Cost(
        seconds=told["seconds"],
        mebibytes=told["mebibytes"],
        flops=told["tokens"] * made.flops(),
        processes=source.processes,
        precision=told["precision"],
    )


def _made(source: CorpusSource, stable: race.Stable, settings: Settings, folder: Path) -> Corpus:
    """The source made ready: its text and the model that it begins with."""
    if settings.quick:
        tiny, vocabulary = corpus.tiny(source, folder)
        sized = replace(tiny.recipe, global_batch=source.global_batch, max_length=source.max_length)
        made = replace(tiny, recipe=sized)
    else:
        made, vocabulary = corpus.real(source, settings.data, folder)
    asked = {"corpus": made.options(), "vocabulary": str(vocabulary)}
    facts = stable.runner("prepare", threads=1).through("benchmarks.corpus:make_start", asked)
    return replace(made, vocabulary=int(facts["vocabulary"]))


def _notes(sizes: Sizes, precisions: set[str]) -> Iterator[str]:
    layers, width = sizes.base.shape.layers, sizes.base.shape.hidden
    told = {
        "steps": sizes.steps,
        "warm": ours_sizes.WARM,
        "tokens": sizes.tokens,
        "name": sizes.base.name,
        "layers": layers,
        "width": width,
        "length": sizes.base.max_length,
        "precision": " and ".join(sorted(precisions)),
        "most": MOST,
    }
    yield from (note.format(**told) for note in NOTES)


def _attention(lengths: Mapping[str, CorpusSource], costs: Mapping[CorpusSource, Cost]) -> str:
    """At what rate the work is done that only longer sequences have."""
    (short, first), *_, (long, last) = ((name, costs[of_one]) for name, of_one in lengths.items())
    work, seconds = last.flops - first.flops, last.seconds - first.seconds
    return (
        f"What attention adds from {short} to {long}: {work / 1e9:.3g} GFLOP in"
        f" {1e3 * seconds:.3g} ms, {work / seconds / 1e9:.3g} GFLOP/s."
    )


def _processes(number: int) -> str:
    return f"{number} process" + ("es" if number > 1 else "")

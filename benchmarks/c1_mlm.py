"""C1 to C3, G1 to G3: pretraining with masked words, real tokens per second beside transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import corpus, outcome, race, verdict
from benchmarks.contest import Contest
from benchmarks.corpus import Corpus, CorpusSource
from benchmarks.laps import Clock
from benchmarks.settings import Settings

EQUAL_STEPS = 10
FEW = 3  # where a step takes many seconds
LARGE = 512  # width of a model whose steps do
CALLS = {
    "ours": "benchmarks.ours_mlm:pretrain",
    "default": "benchmarks.peers.default:pretrain",
    "tuned": "benchmarks.peers.tuned:pretrain",
    "tuned-small-batches": "benchmarks.peers.tuned:pretrain_small_batches",
    "tuned-compiled": "benchmarks.peers.tuned:pretrain_compiled",
    "ceiling": "benchmarks.ceiling:gemm",
}
LAPS = {"ours": 2, "ceiling": 8}  # of a round; of the others one
GPU_LAPS = 10  # of a round, where a step takes a tenth of a second
GPU_CALLS = {  # eager code and small batches have been slower there
    **{name: CALLS[name] for name in ("ours", "default", "ceiling")},
    "tuned": "benchmarks.peers.tuned:pretrain_compiled_whole",
}
PAIR_CALLS = {  # two processes with a share of the cores each
    "ours": "benchmarks.pair:ours",
    "default": "benchmarks.pair:default",
    "tuned": "benchmarks.pair:tuned",
    "layered": "benchmarks.pair:layered",
    "ceiling": "benchmarks.pair:gemm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A corpus made ready: its files are written, its sizes and the precision are known."""

    corpus: Corpus
    line_tokens: float  # mean of a line, cut to the width
    dtype: str
    gpu: bool

    def options(self, mode: str, *, threads: int, seed: int) -> dict[str, Any]:
        """What a child is told."""
        return {
            "corpus": self.corpus.options(),
            "mode": mode,
            "threads": threads,
            "seed": seed,
            "dtype": self.dtype,
        }

    @property
    def title(self) -> str:
        """What is trained on what."""
        shape, own = self.corpus.shape, self.corpus
        rate = f", dropout {own.dropout:g}" if own.dropout else ""
        many = f", {own.processes} processes" if own.processes > 1 else ""
        kind = "ALBERT" if own.embedding else "BERT"
        return f"masked words, {kind} {shape.layers}x{shape.hidden} on {own.name}{rate}{many}"

    @property
    def calls(self) -> Mapping[str, str]:
        """Who races."""
        if self.corpus.processes > 1:
            return PAIR_CALLS
        return GPU_CALLS if self.gpu else CALLS

    def clocks(self, settings: Settings) -> tuple[Clock, ...]:
        """A GPU has no processor time, and two processes wait for each other."""
        return ("wall",) if self.gpu or self.corpus.processes > 1 else settings.clocks

    def threads(self, clock: Clock, settings: Settings) -> int:
        """Of each process."""
        return max(1, settings.threads(clock) // self.corpus.processes)


def prepare(source: CorpusSource, settings: Settings, folder: Path) -> Text:
    """A source made ready, or the tiny one in quick mode."""
    if settings.quick:
        made, vocabulary = corpus.tiny(source, folder)
    else:
        made, vocabulary = corpus.real(source, settings.data, folder)
    with race.Stable(folder, gpu=source.gpu) as stable:
        runner = stable.runner("prepare", threads=settings.cores)
        told = {"corpus": made.options(), "vocabulary": str(vocabulary)}
        facts = runner.through("benchmarks.corpus:make_start", told)
        dtype = runner.through("benchmarks.ceiling:probe_precision", {})["dtype"]
    sized = replace(made, vocabulary=int(facts["vocabulary"]))
    return Text(corpus=sized, line_tokens=facts["lineTokens"], dtype=dtype, gpu=source.gpu)


def run(row: str, text: Text, settings: Settings) -> Mapping[str, Any]:
    """The result of the row: first equal work is shown, then it is timed."""
    variants = _variants(text, settings)
    contest = Contest(
        calls=text.calls,
        variants=variants,
        laps={name: GPU_LAPS if text.gpu else LAPS.get(name, 1) for name in text.calls},
        unit="tokens",
        useful=text.corpus.flops(),
        also=tuple(name for name in text.calls if name == "layered"),
    )
    with race.Stable(Path(text.corpus.folder), gpu=text.gpu) as stable:
        evidence = _evidence(text, settings, stable, variants)
        races = []
        for clock in text.clocks(settings):
            threads = text.threads(clock, settings)
            options = text.options("race", threads=threads, seed=settings.seeds[0])
            races.append(contest.timed(stable, clock, options, rounds=settings.rounds))
    return outcome.row(row, text.title, races=races, evidence=evidence, settings=settings)


def _variants(text: Text, settings: Settings) -> tuple[str, ...]:
    every = tuple(name for name in text.calls if name != "ceiling")
    short = settings.quick and text.corpus.processes == 1
    return ("ours", "default", "tuned") if short else every


def _evidence(
    text: Text, settings: Settings, stable: race.Stable, variants: Sequence[str]
) -> outcome.Evidence:
    """Losses of equal steps: the same sequences with the same words hidden, without dropout."""
    threads = text.threads("wall", settings)
    options = text.options("equality", threads=threads, seed=settings.seeds[0])
    options["steps"] = FEW if text.corpus.shape.hidden > LARGE else EQUAL_STEPS

    def through(name: str, call: str) -> Mapping[str, Any]:
        return stable.runner(name, threads=settings.cores).through(call, options)

    through("ours", "benchmarks.ours_mlm:sequences")
    answers = {name: through(name, text.calls[name]) for name in variants}
    losses = {name: answer["losses"] for name, answer in answers.items()}
    details = {
        "equalSteps": {"steps": options["steps"], "losses": losses},
        "microBatch": answers["ours"]["microBatch"],
        "precision": answers["ours"]["precision"],
        "lineFill": text.line_tokens / text.corpus.recipe.max_length,
        "vocabulary": text.corpus.vocabulary,
    }
    return outcome.Evidence(faults=tuple(verdict.loss_faults(losses)), details=details)

"""C8: words hidden while batches are made, tokens per second and core against the HF collators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import feeding, outcome, verdict
from benchmarks.c1_mlm import Text
from benchmarks.corpus import SHARE
from benchmarks.settings import Settings

CALLS = {
    "ours": "benchmarks.ours_mlm:masked",
    "default": "benchmarks.peers.default:mask",
    "tuned": "benchmarks.peers.tuned:mask",
    "tuned-torch": "benchmarks.peers.tuned:mask_torch",
}
MARKS = 2  # of a sequence, which are never hidden
TOLERANCE = 0.02  # of the share of tokens that are hidden


def run(row: str, text: Text, settings: Settings) -> Mapping[str, Any]:
    """The result of the row; one thread and the CPU clock, for this is what one core can feed."""
    options = {**text.options("race", threads=1, seed=settings.seeds[0]), "steps": 1}
    held, only = feeding.run(
        CALLS, options, folder=Path(text.corpus.folder), rounds=settings.rounds
    )
    words = "whole words" if text.corpus.whole_word else "tokens"
    title = f"hiding {words} of {text.corpus.name}"
    return outcome.row(row, title, races=(only,), evidence=_evidence(held), settings=settings)


def _evidence(held: Mapping[str, Mapping[str, float]]) -> outcome.Evidence:
    """The same sequences in every variant, and the same share of them hidden."""
    work = {n: {k: told[k] for k in ("texts", "tokens")} for n, told in held.items()}
    shares = {
        name: told["hidden"] / (told["tokens"] - MARKS * told["texts"])
        for name, told in held.items()
    }
    faults = (*verdict.work_faults(work), *_share_faults(shares))
    return outcome.Evidence(faults=faults, details={"work": work["ours"], "hiddenShare": shares})


def _share_faults(shares: Mapping[str, float]) -> Iterator[str]:
    for name, share in shares.items():
        if abs(share - SHARE) > TOLERANCE:
            yield f"{name} hides {share:.3f} of the tokens, {SHARE} were asked for"

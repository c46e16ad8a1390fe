"""Out of the box: run_glue's recipe and the usual data path, nothing set but what the row fixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.child import Baton, Options
from benchmarks.peers import hugging_face

# run_glue pads every text to max_seq_length; precision, optimizer, order and logging are the
# Trainer's own defaults (transformers 5: fp32, fused AdamW, random order, a log every 500 steps).
RUN_GLUE = hugging_face.Recipe(padding="max_length", attention_dropout=True)

# In two micro-batches: the logits of every slot are a gigabyte otherwise, and the step no faster.
RUN_MLM = hugging_face.Recipe(padding="max_length", attention_dropout=True, micro_batches=2)


def finetune(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C5 as run_glue does it.

    Its accuracy is measured with dynamic padding, which gives the same numbers up to rounding
    (the losses of equal steps prove it) at a fifth of the cost.
    """
    return hugging_face.finetune(RUN_GLUE, options, baton)


def stream(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C9 with the texts tokenised when their batch is due."""
    from benchmarks.peers import streams

    return streams.tokenising(options, baton)


def pretrain(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C1 and C2 as run_mlm does it with --line_by_line --pad_to_max_length."""
    from benchmarks.peers import hugging_face_mlm

    return hugging_face_mlm.pretrain(RUN_MLM, options, baton)


def mask(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C8 as the guide of masked language modelling does it: lists of ids into the collator."""
    from benchmarks.peers import maskings

    return maskings.mask(maskings.Form(numpy=False, marked=False), options, baton)

"""Every public switch set well. Where the best setting depends on the machine there are several
variants, all in the race, and the row is held against the fastest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from benchmarks.child import Baton, Options
from benchmarks.peers import hugging_face

# Ours has no dropout on attention weights, and without it the peer may use the fused kernel.
BEST = hugging_face.Recipe(
    padding="dynamic",
    attention_dropout=False,
    arguments={
        "train_sampling_strategy": "group_by_length",
        "optim": "adamw_torch_fused",
        "logging_strategy": "no",
        "dataloader_pin_memory": False,
    },
)

# The Trainer takes the marks of special tokens away, and the collator finds them anew, if allowed.
CONCATENATED = replace(
    BEST,
    arguments={
        **{n: v for n, v in BEST.arguments.items() if n != "train_sampling_strategy"},
        "remove_unused_columns": False,
    },
)


def finetune(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C5 with texts grouped by length, dynamic padding, the faster precision, fused AdamW."""
    return hugging_face.finetune(_with(BEST, options), options, baton)


def finetune_small_batches(options: Options, baton: Baton) -> Mapping[str, Any]:
    """The same in four micro-batches, whose activations fit the caches."""
    return hugging_face.finetune(_with(replace(BEST, micro_batches=4), options), options, baton)


def finetune_compiled(options: Options, baton: Baton) -> Mapping[str, Any]:
    """The same with torch.compile."""
    recipe = _with(BEST, options)
    arguments = {**recipe.arguments, "torch_compile": True}
    return hugging_face.finetune(replace(recipe, arguments=arguments), options, baton)


def _with(recipe: hugging_face.Recipe, options: Options) -> hugging_face.Recipe:
    precision = {"bf16": options["dtype"] == "bfloat16"}
    return replace(recipe, arguments={**recipe.arguments, **precision})


def stream(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C9 with rows tokenised once and kept in memory, collated with dynamic padding."""
    from benchmarks.peers import streams

    return streams.rows(options, baton)


def stream_datasets(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C9 with the same rows in a table of the `datasets` library, where that is installed."""
    from benchmarks.peers import streams

    return streams.datasets_rows(options, baton)


def pretrain(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C1 and C2 with concatenated text (run_mlm's own default), bf16 where faster, fused AdamW."""
    from benchmarks.peers import hugging_face_mlm

    return hugging_face_mlm.pretrain(_with(CONCATENATED, options), options, baton)


def pretrain_together(options: Options, baton: Baton) -> Mapping[str, Any]:
    """The same as one of several processes, which need not look for unused weights."""
    from benchmarks.peers import hugging_face_mlm

    together = {"ddp_find_unused_parameters": False, "dataloader_drop_last": True}
    recipe = replace(CONCATENATED, arguments={**CONCATENATED.arguments, **together})
    return hugging_face_mlm.pretrain(_with(recipe, options), options, baton)


def pretrain_small_batches(options: Options, baton: Baton) -> Mapping[str, Any]:
    """The same in four micro-batches, whose logits fit the caches better."""
    from benchmarks.peers import hugging_face_mlm

    recipe = replace(CONCATENATED, micro_batches=4)
    return hugging_face_mlm.pretrain(_with(recipe, options), options, baton)


def pretrain_compiled(options: Options, baton: Baton) -> Mapping[str, Any]:
    """The same in two micro-batches with torch.compile; the shape never changes."""
    return _pretrain_compiled(replace(CONCATENATED, micro_batches=2), options, baton)


def pretrain_compiled_whole(options: Options, baton: Baton) -> Mapping[str, Any]:
    """The same in one batch, as a GPU likes it."""
    return _pretrain_compiled(CONCATENATED, options, baton)


def _pretrain_compiled(
    recipe: hugging_face.Recipe, options: Options, baton: Baton
) -> Mapping[str, Any]:
    from benchmarks.peers import hugging_face_mlm

    whole = {"torch_compile": True, "dataloader_drop_last": True}
    recipe = _with(recipe, options)
    recipe = replace(recipe, arguments={**recipe.arguments, **whole})
    return hugging_face_mlm.pretrain(recipe, options, baton)


def mask(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C8 with special tokens marked beforehand, as run_mlm does, and the collator's numpy mode."""
    from benchmarks.peers import maskings

    return maskings.mask(maskings.Form(numpy=True, marked=True), options, baton)


def mask_torch(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C8 with special tokens marked beforehand, as run_mlm does."""
    from benchmarks.peers import maskings

    return maskings.mask(maskings.Form(numpy=False, marked=True), options, baton)

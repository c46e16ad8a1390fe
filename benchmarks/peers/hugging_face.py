"""The real transformers.Trainer, driven lap by lap; what a recipe may choose is a `Recipe`."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EvalPrediction,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    default_data_collator,
)

from benchmarks import workloads
from benchmarks.child import Baton, Options
from benchmarks.workloads import Workload

Features = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a peer's documentation, or its best user, would set."""

    padding: Literal["max_length", "dynamic"]
    attention_dropout: bool
    micro_batches: int = 1
    arguments: Mapping[str, Any] = field(default_factory=dict)


def finetune(recipe: Recipe, options: Options, baton: Baton) -> Mapping[str, Any]:
    """Trains as the options' `mode` says; the result has the losses and the dev accuracy.

    Modes: `race` runs until it is stopped; `equality` takes `order` as it stands, without dropout,
    and logs every loss; `accuracy` trains for the workload's epochs.
    """
    torch.set_num_threads(options["threads"])
    workload, mode = Workload.of(options["workload"]), options["mode"]
    padding = "dynamic" if mode == "accuracy" else recipe.padding
    features = _Features(workload, padding)
    with tempfile.TemporaryDirectory() as folder:
        laps = Laps(baton, recipe.micro_batches)
        trainer = Trainer(
            model=_model(recipe, workload, dropout=mode != "equality"),
            args=arguments(recipe, workload.recipe, options, folder),
            train_dataset=features.split(options["split"], options.get("order")),
            eval_dataset=features.split("dev", None),
            data_collator=laps.counting(features.collate),
            callbacks=[laps],
            compute_metrics=_accuracy,
        )
        # BertForSequenceClassification takes the mean of each micro-batch, though its signature
        # makes the Trainer believe otherwise: without this the gradient is their sum.
        trainer.loss_is_scaled_for_ga = recipe.micro_batches == 1
        trainer.train()
        return {"losses": laps.losses, **(_evaluation(trainer) if mode == "accuracy" else {})}


def arguments(
    recipe: Recipe, common: workloads.Recipe, options: Options, folder: str
) -> TrainingArguments:
    """The Trainer's arguments: what the row fixes in common, and what the recipe chooses."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    micro = common.global_batch // recipe.micro_batches // world
    modes: dict[str, dict[str, Any]] = {
        "race": {"num_train_epochs": 1000},
        "accuracy": {"num_train_epochs": common.accuracy_epochs},
        "equality": {
            "num_train_epochs": 1,
            "train_sampling_strategy": "sequential",
            "logging_strategy": "steps",
            "logging_steps": 1,
        },
    }
    return TrainingArguments(
        output_dir=folder,
        use_cpu=not torch.cuda.is_available(),
        seed=options["seed"],
        learning_rate=common.learning_rate,
        adam_epsilon=1e-6,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=recipe.micro_batches,
        per_device_eval_batch_size=common.global_batch,
        report_to=[],  # no tracker is installed, none is asked for
        save_strategy="no",
        disable_tqdm=True,
        # With it the Trainer multiplies the mean of a process by their number, gradient included.
        average_tokens_across_devices=False,
        ddp_backend="gloo" if world > 1 else None,
        **{**recipe.arguments, **modes[options["mode"]]},
    )


def _model(recipe: Recipe, workload: Workload, *, dropout: bool) -> Any:
    chosen = {} if recipe.attention_dropout else {"attention_probs_dropout_prob": 0.0}
    if not dropout:
        chosen = {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0}
    return AutoModelForSequenceClassification.from_pretrained(workload.start, **chosen)


class _Features:
    """Tokenised once before training, as run_glue does: lists of ids, padded or not."""

    def __init__(self, workload: Workload, padding: str) -> None:
        self._workload, self._padding = workload, padding
        self._tokenizer = AutoTokenizer.from_pretrained(workload.start)
        self.collate: Callable[[Features], dict[str, Any]] = (
            default_data_collator
            if padding == "max_length"
            else DataCollatorWithPadding(self._tokenizer)
        )

    def split(self, name: str, order: Sequence[int] | None) -> Features:
        """The encoded rows, in the order given or as they stand."""
        rows = self._workload.read(name)
        if order is not None:
            rows = [rows[i] for i in order]
        encoded = self._tokenizer(
            *([row[column] for row in rows] for column in self._workload.texts),
            truncation=True,
            max_length=self._workload.recipe.max_length,
            padding="max_length" if self._padding == "max_length" else False,
        )
        labels = [self._workload.labels.index(row["label"]) for row in rows]
        return [
            {**{k: v[i] for k, v in encoded.items()}, "labels": labels[i]} for i in range(len(rows))
        ]


class Laps(TrainerCallback):
    """Ends a lap with every optimizer step and keeps the losses that are logged."""

    def __init__(self, baton: Baton, micro_batches: int) -> None:
        self.losses: list[float] = []
        self._baton, self._micro_batches = baton, micro_batches
        # The loader reads ahead: what was collated first is trained on first.
        self._collated: deque[Mapping[str, int]] = deque()

    def counting(self, collate: Callable[[Features], dict[str, Any]]) -> Callable[..., Any]:
        """The collator, with a note of what each micro-batch holds."""

        def noted(features: Features) -> dict[str, Any]:
            batch = collate(features)
            mask = batch["attention_mask"]
            units = {"texts": len(mask), "tokens": int(mask.sum()), "slots": mask.numel()}
            self._collated.append(units)
            return batch

        return noted

    def on_train_begin(self, *_: object, **__: object) -> None:
        """Waits until the first lap is wanted."""
        self._baton.begin()

    def on_step_end(self, *_: object, **__: object) -> None:
        """Reports the lap and waits for the next."""
        parts = [self._collated.popleft() for _ in range(self._micro_batches)]
        self._baton.lap(**{name: sum(part[name] for part in parts) for name in parts[0]})

    def on_log(self, *_: object, **event: Any) -> None:
        """Keeps the loss of a step that logs one."""
        if "loss" in event["logs"]:
            self.losses.append(event["logs"]["loss"])


def _accuracy(prediction: EvalPrediction) -> dict[str, float]:
    hits = np.argmax(prediction.predictions, -1) == prediction.label_ids
    return {"accuracy": float(np.mean(hits))}


def _evaluation(trainer: Trainer) -> Mapping[str, float]:
    scores = trainer.evaluate()
    return {"accuracy": scores["eval_accuracy"], "devLoss": scores["eval_loss"]}

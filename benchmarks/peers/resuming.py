"""The real transformers.Trainer under torchrun: it saves every so often and resumes from that.

`python -m benchmarks.peers.resuming OPTIONS`, a file of JSON: `workload`, `steps`, `save`, `seed`,
`folder`. Rank 0 notes every step in `steps.jsonl` of the folder.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from benchmarks.peers import notes
from benchmarks.workloads import Workload


class Notes(TrainerCallback):
    """One line for every step: which, by whom, from when to when."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = 0.0

    def on_step_begin(self, *_: object, **__: object) -> None:
        """The step begins."""
        self._began = time.time()

    def on_step_end(self, args: object, state: Any, control: object, **_: object) -> None:
        """The step is done."""
        del args, control
        if state.is_world_process_zero:
            note = {"pid": os.getpid(), "step": state.global_step}
            with self._path.open("a") as file:
                file.write(json.dumps(note | {"began": self._began, "ended": time.time()}) + "\n")


def main(options: Mapping[str, Any]) -> None:
    """Trains to the last step, from the newest checkpoint that is whole."""
    folder, workload = Path(options["folder"]), Workload.of(options["workload"])
    tokenizer = AutoTokenizer.from_pretrained(workload.start)
    trainer = Trainer(
        model=AutoModelForSequenceClassification.from_pretrained(
            workload.start, attention_probs_dropout_prob=0.0
        ),
        args=_arguments(options, workload, folder / "out"),
        train_dataset=_features(workload, tokenizer),
        data_collator=DataCollatorWithPadding(tokenizer),
        callbacks=[Notes(folder / notes.FILE)],
    )
    trainer.train(resume_from_checkpoint=notes.newest((folder / "out").glob("checkpoint-*")))
    if trainer.is_world_process_zero():
        trainer.save_model(str(folder / "model"))


def _arguments(options: Mapping[str, Any], workload: Workload, out: Path) -> TrainingArguments:
    recipe = workload.recipe
    return TrainingArguments(
        output_dir=str(out),
        use_cpu=True,
        ddp_backend="gloo",
        seed=options["seed"],
        learning_rate=recipe.learning_rate,
        adam_epsilon=1e-6,
        per_device_train_batch_size=recipe.global_batch // 2,
        max_steps=options["steps"],
        save_strategy="steps",
        save_steps=options["save"],
        save_total_limit=2,
        optim="adamw_torch_fused",
        logging_strategy="no",
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
        disable_tqdm=True,
        report_to=[],
    )


def _features(workload: Workload, tokenizer: Any) -> list[dict[str, Any]]:
    rows = workload.read("train")
    encoded = tokenizer(
        *([row[column] for row in rows] for column in workload.texts),
        truncation=True,
        max_length=workload.recipe.max_length,
    )
    labels = [workload.labels.index(row["label"]) for row in rows]
    return [
        {**{k: v[i] for k, v in encoded.items()}, "labels": labels[i]} for i in range(len(rows))
    ]


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))

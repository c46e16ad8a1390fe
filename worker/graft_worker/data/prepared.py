"""What the prepare stage leaves for the train stage: prepared.json in the job's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from graft_api.jobstatus import DatasetStatus

MOST_WARNINGS, LONGEST = 16, 1024  # what the status of a job can hold
Problem = Literal["single_label", "multi_label", "regression"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One tokenised split: its shards, by content, and facts of its source."""

    shards: str  # path of the shard folder, relative to the store
    rows: int
    tokens: int
    sha256: str  # of the source files' bytes, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """Whom a student learns from, and what is asked."""

    model: str  # folder of its artefact, relative to the store where it is in it
    digest: str  # sha256:..., of the artefact
    splits: dict[str, Split]  # as its own tokenizer makes them
    learned: str  # shards that the student reads: train, with the rows of unlabelled behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that training needs to know of the data and of the model's origin."""

    splits: dict[str, Split]  # train, and where given validation and test
    problem: Problem | None  # None where rows have no target
    labels: tuple[str, ...]  # in the order of the model's outputs; () for regression
    model: str  # folder of config.json and, unless from config, model.safetensors; see below
    model_digest: str  # sha256:...; of the config alone where weights are random
    random_weights: bool  # the model starts from its config, not from weights
    tokenizer: str  # folder of tokenizer.json; both relative to the store where they are in it
    vocabulary: int  # number of token ids
    columns: dict[str, str]  # role -> column of the train file
    warnings: tuple[str, ...] = ()
    teacher: Teacher | None = None  # of a distillation
    golden: tuple[dict[str, str], ...] = ()  # texts by role, which the artefact is checked by

    def shards(self) -> tuple[str, ...]:
        """Every folder of shards, once, as splits name it."""
        told = self.teacher
        asked = [*(split.shards for split in told.splits.values()), told.learned] if told else []
        return tuple(dict.fromkeys([*(split.shards for split in self.splits.values()), *asked]))

    def write(self, path: Path) -> None:
        """Writes the file as a whole or not at all."""
        beside = path.with_name(f".{path.name}.partial")
        beside.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False), encoding="utf-8")
        beside.replace(path)

    def dataset(self) -> DatasetStatus:
        """The training data in the words of a job's status."""
        train = self.splits["train"]
        return DatasetStatus(
            rows=train.rows,
            columns=tuple(self.columns.values()),
            sha256=train.sha256,
            labels=len(self.labels) or None,
            warnings=tuple(line[:LONGEST] for line in self.warnings[:MOST_WARNINGS]),
        )

    @classmethod
    def read(cls, path: Path) -> Prepared:
        """What `write` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        data["splits"] = _splits(data["splits"])
        if told := data.get("teacher"):
            data["teacher"] = Teacher(**(told | {"splits": _splits(told["splits"])}))
        for name in ("labels", "warnings", "golden"):
            data[name] = tuple(data.get(name, ()))
        return cls(**data)


def _splits(plain: dict[str, Any]) -> dict[str, Split]:
    return {name: Split(**split) for name, split in plain.items()}

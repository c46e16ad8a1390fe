"""What a TransferJob asks of the prepare stage: the app's columns and features."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_worker.apps import registry
from graft_worker.models import folders, origin, tokenization

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from graft_api.transferjob import TransferJob, TransferJobSpec
    from graft_worker.config import Settings
    from graft_worker.data.blocks import Blocks
    from graft_worker.data.inspect import Inspection
    from graft_worker.data.prepared import Prepared, Problem
    from graft_worker.data.rows import Role
    from graft_worker.data.targets import TargetWish
    from graft_worker.models.origin import Origin
    from graft_worker.run.kinds.preparing import Making


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPreparation:
    """A `Preparation` (see `preparing.py` above)."""

    spec: TransferJobSpec

    def start(self, settings: Settings) -> Origin:
        """The model that the job names, or the app's own network."""
        spec, into = self.spec, settings.job_dir / "model"
        network = registry.network(spec.app)
        if network is None:
            if spec.model is None:
                raise ConfigError(
                    "spec.model: is required by this app",
                    hint="for example model: {from: {zoo: minilm-l6-en}}",
                )
            return origin.resolve(spec.model, zoo=settings.zoo, into=into)
        if spec.model is not None:
            raise ConfigError(
                f"spec.model: has no effect with variant {spec.app.variant}",
                hint="leave it out: this network starts from nothing, "
                "and its tokenizer is trained on the job's texts",
            )
        return origin.own(network, into=into)

    @property
    def splits(self) -> tuple[str, ...]:
        """The families of encoders of our own."""
        return ("bert", "albert")

    def tokenizer(self, settings: Settings, start: Origin, texts: Iterator[str]) -> Tokenizer:
        """The model's, or the one that the job wishes, or one for the app's own network."""
        if self.spec.model is None:
            size = folders.read_config(start.folder)["vocab_size"]
            return tokenization.train(texts, kind="wordpiece", size=size)
        into = settings.job_dir / "tokenizer"
        return origin.tokenizer(self.spec.model, start, texts=texts, zoo=settings.zoo, into=into)

    def roles(self) -> tuple[Role, ...]:
        """The app's columns."""
        return registry.roles(self.spec.app)

    def wish(self) -> TargetWish:
        """The app's wish."""
        return registry.wish(self.spec.app)

    def problem(self, found: Inspection) -> Problem | None:
        """As the data show it."""
        return found.problem

    def blocks(self, found: Inspection, tokenizer: Tokenizer) -> Blocks:
        """Each row by the app's features."""
        app = registry.build(self.spec.app, problem=found.problem, labels=found.labels)
        return partial(map, app.features(tokenizer, self.spec.data.max_length))

    def key_parts(self) -> dict[str, str]:
        """The app and its parameters."""
        app: dict[str, Any] = self.spec.app.model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        return {"app": json.dumps(app, sort_keys=True)}

    def finished(self, prepared: Prepared, making: Making) -> Prepared:  # noqa: ARG002
        """Nothing else is needed."""
        return prepared


def of(job: TransferJob, *, zoo: Path | None) -> TransferPreparation:  # noqa: ARG001
    """The preparation of a TransferJob."""
    return TransferPreparation(spec=job.spec)

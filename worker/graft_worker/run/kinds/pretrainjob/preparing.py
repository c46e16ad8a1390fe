"""What a PretrainJob asks of the prepare stage: text into full sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_worker.data.rows import Role
from graft_worker.data.targets import TargetWish
from graft_worker.models import folders, origin
from graft_worker.models.special import special
from graft_worker.pretrain import pairs, sentences
from graft_worker.run.kinds.pretrainjob import objectives

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from graft_api.pretrainjob import PretrainJob, PretrainJobSpec
    from graft_worker.config import Settings
    from graft_worker.data.blocks import Blocks
    from graft_worker.data.inspect import Inspection
    from graft_worker.data.prepared import Prepared, Problem
    from graft_worker.models.origin import Origin
    from graft_worker.run.kinds.preparing import Making

TEXT = Role(name="text", kind="text", names=("text", "sentence", "content"))
DOCUMENT = Role(name="document", kind="group", names=("document", "doc"), required=False)
_ALL = ("mlm", "mlm+nsp", "mlm+sop")
OWN = {"bert": _ALL, "roberta": ("mlm",), "albert": _ALL}  # families: their objectives
FORM = "1"  # of the sequences: another one makes shards anew


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainPreparation:
    """A `Preparation` (see `preparing.py` above)."""

    spec: PretrainJobSpec

    def start(self, settings: Settings) -> Origin:
        """The model that the job names; one of a family that can be pretrained."""
        found = origin.resolve(self.spec.model, zoo=settings.zoo, into=settings.job_dir / "model")
        kind = folders.read_config(found.folder).get("model_type", "bert")
        if kind not in OWN:
            raise ConfigError(
                f"spec.model.from: {found.folder} is of the family {kind},"
                " which cannot be pretrained in this version",
                hint=f"available: {', '.join(OWN)}",
            )
        if self.spec.objective.name not in OWN[kind]:
            raise ConfigError(
                f"spec.objective.name: {self.spec.objective.name} is not available for {kind}",
                hint=f"available: {', '.join(OWN[kind])}",
            )
        return found

    @property
    def splits(self) -> tuple[str, ...]:
        """All that can be pretrained."""
        return tuple(OWN)

    def tokenizer(self, settings: Settings, start: Origin, texts: Iterator[str]) -> Tokenizer:
        """The model's, or the one that the job wishes; random weights have none of their own."""
        wish = self.spec.model
        if start.random and wish.tokenizer is None:
            raise ConfigError(
                "spec.model.tokenizer: is required with model.from.config",
                hint="for example tokenizer: {train: {kind: wordpiece, size: 8000}}",
            )
        into = settings.job_dir / "tokenizer"
        made = origin.tokenizer(wish, start, texts=texts, zoo=settings.zoo, into=into)
        _check_padding(folders.read_config(start.folder), made)
        return made

    def roles(self) -> tuple[Role, ...]:
        """A column of texts, for pairs also of documents."""
        return (TEXT, DOCUMENT) if objectives.pair_of(self.spec) else (TEXT,)

    def wish(self) -> TargetWish:
        """There is no target."""
        return TargetWish()

    def problem(self, found: Inspection) -> Problem | None:  # noqa: ARG002
        """There is no target."""
        return None

    def blocks(self, found: Inspection, tokenizer: Tokenizer) -> Blocks:  # noqa: ARG002
        """Sentences one after another into full sequences."""
        objectives.view(self.spec, tokenizer)  # refuses here what training could not do later
        return sentences.sequences(tokenizer, self._form())

    def _form(self) -> sentences.Form:
        pair = objectives.pair_of(self.spec)
        return sentences.Form(
            max_length=self.spec.data.max_length,
            whole_word=self.spec.objective.whole_word,
            text=TEXT.name,
            document=DOCUMENT.name if pair else "",
            frame=pairs.FRAME if pair else sentences.FRAME,
        )

    def key_parts(self) -> dict[str, str]:
        """What words are; how they are masked is drawn later."""
        form = self._form()
        return {
            "sequences": f"{FORM}, of {'documents' if form.document else 'everything'}",
            "wholeWord": str(form.whole_word),
        }

    def finished(self, prepared: Prepared, making: Making) -> Prepared:  # noqa: ARG002
        """Nothing else is needed."""
        return prepared


def _check_padding(config: Mapping[str, Any], tokenizer: Tokenizer) -> None:
    """RoBERTa tells positions from the id of its padding: another one would move all of them."""
    known, found = config.get("pad_token_id", 1), special(tokenizer).pad
    if config.get("model_type") == "roberta" and known != found:
        raise ConfigError(
            f"spec.model.tokenizer: padding has the id {found}, but the model expects {known}",
            hint=f"use kind bpe, or with model.from.config options: {{pad_token_id: {found}}}",
        )


def of(job: PretrainJob, *, zoo: Path | None) -> PretrainPreparation:  # noqa: ARG001
    """The preparation of a PretrainJob."""
    return PretrainPreparation(spec=job.spec)

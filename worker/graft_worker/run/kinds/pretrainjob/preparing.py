"""What a PretrainJob asks of the prepare stage: text into full sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graft_api.errors import ConfigError
from graft_worker.data.rows import Role
from graft_worker.data.targets import TargetWish
from graft_worker.models import folders, origin
from graft_worker.pretrain import pairs, sentences
from graft_worker.run.kinds.pretrainjob import objectives

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from graft_api.pretrainjob import PretrainJob, PretrainJobSpec
    from graft_worker.config import Settings
    from graft_worker.data.blocks import Blocks
    from graft_worker.data.inspect import Inspection
    from graft_worker.data.prepared import Problem
    from graft_worker.models.origin import Origin

TEXT = Role(name="text", kind="text", names=("text", "sentence", "content"))
DOCUMENT = Role(name="document", kind="group", names=("document", "doc"), required=False)
OWN = ("bert",)  # families with an encoder of ours
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
                f"spec.model.from: {found.folder} is a {kind}, which cannot be pretrained in this"
                " version",
                hint=f"available: {', '.join(OWN)}",
            )
        return found

    def tokenizer(self, settings: Settings, start: Origin, texts: Iterator[str]) -> Tokenizer:
        """The model's, or the one that the job wishes; random weights have none of their own."""
        wish = self.spec.model
        if start.random and wish.tokenizer is None:
            raise ConfigError(
                "spec.model.tokenizer: is required with model.from.config",
                hint="for example tokenizer: {train: {kind: wordpiece, size: 8000}}",
            )
        into = settings.job_dir / "tokenizer"
        return origin.tokenizer(wish, start, texts=texts, zoo=settings.zoo, into=into)

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


def of(job: PretrainJob) -> PretrainPreparation:
    """The preparation of a PretrainJob."""
    return PretrainPreparation(spec=job.spec)

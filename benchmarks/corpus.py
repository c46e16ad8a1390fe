"""What is pretrained on in C1 and C2 and masked in C8: real text, a starting point, a recipe."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import workloads
from benchmarks.ceiling import Shape, head_flops, training_flops
from benchmarks.workloads import MARKS, TINY, Recipe

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options

SHARE = 0.15  # of the tokens that are to be named
HEAD_WIDTH = 64
POSITIONS = 512  # that a published model has


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Files in the scratch folder: train.txt (a sentence a line), start/ (the model to begin with),
    equal.npz (what every variant trains on where equal steps are shown; written by ours).
    """

    name: str
    folder: str
    recipe: Recipe
    shape: Shape
    vocabulary: int
    dropout: float
    whole_word: bool = False
    embedding: int = 0  # width of an ALBERT's embeddings; 0 for a BERT
    processes: int = 1

    @property
    def start(self) -> Path:
        """The folder of the model to begin with, in Hugging Face layout."""
        return Path(self.folder) / "start"

    @property
    def text(self) -> Path:
        """The sentences, one a line."""
        return Path(self.folder) / "train.txt"

    @property
    def equal(self) -> Path:
        """Sequences [N, W], ids and labels, with words hidden already."""
        return Path(self.folder) / "equal.npz"

    def lines(self) -> list[str]:
        """The sentences."""
        return [line for line in self.text.read_text(encoding="utf-8").splitlines() if line]

    def flops(self) -> float:
        """Useful FLOPs to train on one token of a full sequence."""
        attended = float(self.recipe.max_length)
        layers = training_flops(self.shape, tokens=1, attended=attended)
        head = head_flops(self.shape, self.vocabulary, embedding=self.embedding)
        return layers + SHARE * head

    def options(self) -> Mapping[str, Any]:
        """The corpus as JSON for a child."""
        return asdict(self)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Corpus:
        """What `options` gave."""
        parts = {"recipe": Recipe(**options["recipe"]), "shape": Shape(**options["shape"])}
        return cls(**{**options, **parts})


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSource:
    """Where a corpus comes from: a text and a vocabulary of the data folder, and sizes."""

    shape: Shape
    global_batch: int
    name: str = "pretrain_en_shakespeare"
    vocabulary: str = "vocab/bert-base-uncased-vocab.txt"
    dropout: float = 0.0
    whole_word: bool = False
    max_length: int = 128
    embedding: int = 0
    processes: int = 1
    gpu: bool = False  # where it is raced


# Lines of plays fill 30 % of 128 tokens: nearly the fill of performance.md's prototypes.
MINI = CorpusSource(shape=Shape(layers=4, hidden=256, intermediate=1024), global_batch=64)
MINI_DROPOUT = CorpusSource(shape=MINI.shape, global_batch=64, dropout=0.1)
BASE = CorpusSource(shape=Shape(layers=12, hidden=768, intermediate=3072), global_batch=32)
ALBERT = CorpusSource(shape=BASE.shape, global_batch=32, embedding=128, processes=2)
BASE_128 = CorpusSource(shape=BASE.shape, global_batch=256, dropout=0.1, gpu=True)
BASE_512 = CorpusSource(shape=BASE.shape, global_batch=64, max_length=512, dropout=0.1, gpu=True)
LARGE_512 = CorpusSource(
    shape=Shape(layers=24, hidden=1024, intermediate=4096),
    global_batch=32,
    max_length=512,
    dropout=0.1,
    gpu=True,
)
WORDS = CorpusSource(shape=MINI.shape, global_batch=64, whole_word=True)


def real(source: CorpusSource, data: Path, folder: Path) -> tuple[Corpus, Path]:
    """A corpus of real text, and its vocabulary."""
    text = (data / source.name / "train.txt").read_text(encoding="utf-8")
    recipe = Recipe(
        global_batch=source.global_batch, max_length=source.max_length, learning_rate=1e-4
    )
    return _made(source, folder, text, recipe), data / source.vocabulary


def tiny(source: CorpusSource, folder: Path) -> tuple[Corpus, Path]:
    """A corpus of seconds for the smoke test: made-up words, some of several pieces."""
    vocabulary = folder / "vocab.txt"
    pieces = (*MARKS, *workloads.words(), *(f"##{word}" for word in workloads.words()))
    vocabulary.write_text("\n".join(pieces), encoding="utf-8")
    text = "".join(f"{line}\n" for line in _made_up(400))
    small = CorpusSource(
        shape=TINY,
        global_batch=8,
        name="tiny",
        dropout=source.dropout,
        whole_word=source.whole_word,
        embedding=TINY.hidden // 2 if source.embedding else 0,
        processes=source.processes,
    )
    return _made(small, folder, text, Recipe(global_batch=8, max_length=32)), vocabulary


def _made_up(count: int) -> Iterator[str]:
    draw = random.Random(1)
    for _ in range(count):
        words = draw.choices(workloads.words(), k=draw.randint(2, 20))
        yield " ".join(word + draw.choice(("", "", words[0])) for word in words)


def _made(source: CorpusSource, folder: Path, text: str, recipe: Recipe) -> Corpus:
    corpus = Corpus(
        name=source.name,
        folder=str(folder),
        recipe=recipe,
        shape=source.shape,
        vocabulary=0,
        dropout=source.dropout,
        whole_word=source.whole_word,
        embedding=source.embedding,
        processes=source.processes,
    )
    # Without blank lines, which would end documents: the peers know of none.
    lines = (f"{line}\n" for line in text.splitlines() if line.strip())
    corpus.text.write_text("".join(lines), encoding="utf-8")
    return corpus


def make_start(options: Options, _baton: Baton) -> Mapping[str, float]:
    """Writes the model that every variant begins with: the same random weights, head included.

    Options: `corpus`; `vocabulary`, a file of word pieces.
    The result has the number of ids, and the mean length of a line in tokens, cut to the width.
    """
    import torch
    from transformers import AlbertForMaskedLM, BertForMaskedLM

    corpus = Corpus.of(options["corpus"])
    torch.manual_seed(0)
    tokenizer = workloads.tokenizer_of(options["vocabulary"])
    config = _config(corpus, len(tokenizer))
    model = (AlbertForMaskedLM if corpus.embedding else BertForMaskedLM)(config)
    model.save_pretrained(corpus.start)
    tokenizer.save_pretrained(corpus.start)
    most = corpus.recipe.max_length
    ids = tokenizer(corpus.lines(), truncation=True, max_length=most)["input_ids"]
    return {"vocabulary": len(tokenizer), "lineTokens": sum(map(len, ids)) / len(ids)}


def _config(corpus: Corpus, vocabulary: int) -> Any:
    from transformers import AlbertConfig, BertConfig

    shape = corpus.shape
    common: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": max(1, shape.hidden // HEAD_WIDTH),
        "intermediate_size": shape.intermediate,
        "hidden_dropout_prob": corpus.dropout,
        "attention_probs_dropout_prob": corpus.dropout,
        "max_position_embeddings": max(POSITIONS, corpus.recipe.max_length),
    }
    if corpus.embedding:
        return AlbertConfig(**common, embedding_size=corpus.embedding)
    return BertConfig(**common)

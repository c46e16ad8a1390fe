"""Where words begin among the tokens of a text; runs without torch.

The tokenizer's own splitting says which pieces make a word. In Chinese it splits every character
from the next: there a segmenter says which characters make a word. The public code of EasyTransfer
looked for Chinese words after that splitting, found none, and masked characters.

T tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer, models

from graft_api.errors import ConfigError

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
CHINESE = re.compile(f"[{_HAN}]{{2}}")  # two characters, of which a word could be
INSTALL = "pip install 'graft-operator[chinese]'"

Starts = NDArray[np.bool_]
Ids = NDArray[np.int64]
Segment = Callable[[str], Sequence[str]]  # a text to its words, which make up the text again


@dataclass(frozen=True, slots=True)
class Splitter:
    """Splits texts into tokens and says which of them begin a word."""

    tokenizer: Tokenizer  # without truncation and padding
    going_on: Starts | None  # [V] pieces of WordPiece that begin no word; None for other models

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Splitter:
        """The splitter of a tokenizer, which is not changed."""
        plain = Tokenizer.from_str(tokenizer.to_str())
        plain.no_padding()
        plain.no_truncation()
        return cls(plain, _going_on(plain))

    def split(self, texts: list[str]) -> Iterator[tuple[Ids, Starts]]:
        """Ids and starts of each text.

        Raises:
            ConfigError: a text is Chinese, and the segmenter is not installed.
        """
        if not any(map(CHINESE.search, texts)) and self.going_on is not None:
            for encoded in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False):
                ids = np.array(encoded.ids, np.int64)
                yield ids, ~self.going_on[ids]
            return
        for encoded, text in zip(
            self.tokenizer.encode_batch(texts, add_special_tokens=False), texts, strict=True
        ):
            segment = chinese() if CHINESE.search(text) else None
            yield np.array(encoded.ids, np.int64), starts(encoded, text, segment)


def starts(encoded: Encoding, text: str, segment: Segment | None = None) -> Starts:
    """Which tokens [T] begin a word. `segment` joins Chinese characters."""
    numbers = np.array(encoded.word_ids, np.int64)
    found = np.ones(len(numbers), np.bool_)
    found[1:] = numbers[1:] != numbers[:-1]
    if segment is not None and len(numbers):
        inner = inside(text, segment)
        found &= ~inner[[start for start, _ in encoded.offsets]]
        found[0] = True
    return found


def _going_on(tokenizer: Tokenizer) -> Starts | None:
    if not isinstance(tokenizer.model, models.WordPiece):
        return None
    prefix = tokenizer.model.continuing_subword_prefix
    found = np.zeros(tokenizer.get_vocab_size(with_added_tokens=True), np.bool_)
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    found[[index for piece, index in vocabulary.items() if piece.startswith(prefix)]] = True
    return found


def inside(text: str, segment: Segment) -> Starts:
    """Which characters of the text go on with a Chinese word: each with a Chinese one before it."""
    found, at = np.zeros(len(text) + 1, np.bool_), 0
    for word in segment(text):
        for place in range(at + 1, at + len(word)):
            pair = text[place - 1 : place + 1]
            found[place] = CHINESE.fullmatch(pair) is not None
        at += len(word)
    return found


def chinese() -> Segment:
    """The segmenter; imported only here, since most texts need none.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import rjieba
    except ImportError:
        raise ConfigError(
            "spec.objective.wholeWord: Chinese words need a segmenter, which is not installed",
            hint=f"{INSTALL}, or set wholeWord: false to mask single characters",
        ) from None
    library: Any = rjieba
    cut: Segment = library.cut
    return cut

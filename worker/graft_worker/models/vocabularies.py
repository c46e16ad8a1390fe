"""Two styles of tokenizers, WordPiece as BERT's and bytes as RoBERTa's, and how to train each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from graft_worker.models import counting

UNKNOWN = "[UNK]"
BERT_SPECIAL = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]")
BYTE_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_CHINESE = Regex("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")


def bert_style(model: Any, *, lowercase: bool, chinese: bool = True) -> Tokenizer:
    """A WordPiece tokenizer around a model: BERT's cleaning, splitting and joining."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=chinese, strip_accents=None, lowercase=lowercase
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer


def byte_style(model: Any) -> Tokenizer:
    """A byte-level BPE tokenizer around a model, as RoBERTa's."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train_wordpiece(texts: Iterable[str], size: int) -> Tokenizer:
    """A lower-casing WordPiece tokenizer of at most `size` pieces; Chinese characters stand alone.

    The same texts give the same pieces. The library alone does not: it numbers `##` pieces in the
    order of a hash table, and ties between merges go by number. So they get their numbers first.
    """
    split = splitter(bert_style(models.WordPiece(), lowercase=True))
    words = counting.words(texts, split, parts=counting.at_spaces)
    alphabet = _alphabet(words, size // 2)
    kept = {word: n for word, n in sorted(words.items()) if alphabet.issuperset(word)}
    tails = sorted({f"##{letter}" for word in kept for letter in word[1:]})
    learner = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=[*BERT_SPECIAL, *tails], show_progress=False
    )
    learner.train_from_iterator(_repeated(kept), trainer)
    model = models.WordPiece(learner.get_vocab(), unk_token=UNKNOWN)
    tokenizer = bert_style(model, lowercase=True)
    tokenizer.add_special_tokens(list(BERT_SPECIAL))
    return tokenizer


def train_bytes(texts: Iterable[str], size: int) -> Tokenizer:
    """A byte-level BPE tokenizer of at most `size` pieces; Chinese characters stand alone."""
    tokenizer = byte_style(models.BPE())
    alone = pre_tokenizers.Split(_CHINESE, behavior="isolated")
    splitting = pre_tokenizers.Sequence([alone, tokenizer.pre_tokenizer])
    tokenizer.pre_tokenizer = splitting
    words = counting.words(texts, splitter(tokenizer), parts=counting.before_spaces)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(BYTE_SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # no byte is shown as a space
    tokenizer.train_from_iterator(_repeated(dict(sorted(words.items()))), trainer)
    tokenizer.pre_tokenizer = splitting
    return tokenizer


def splitter(tokenizer: Tokenizer) -> counting.Split:
    """The words of a text, as the tokenizer cleans and splits it."""
    cleaner, splitter = tokenizer.normalizer, tokenizer.pre_tokenizer

    def split(text: str) -> list[str]:
        clean = cleaner.normalize_str(text) if cleaner else text
        return [word for word, _ in splitter.pre_tokenize_str(clean)]

    return split


def _alphabet(words: Counter[str], limit: int) -> frozenset[str]:
    """The most frequent characters: a rare one is worth less than a frequent word."""
    letters: Counter[str] = Counter()
    for word, times in words.items():
        for letter in word:
            letters[letter] += times
    ranked = sorted(letters, key=lambda letter: (-letters[letter], letter))
    return frozenset(ranked[:limit])


def _repeated(words: dict[str, int]) -> Iterator[str]:
    """Every word as often as it stood in the texts, in pieces of bounded length."""
    for word, times in words.items():
        for start in range(0, times, 1000):
            yield f"{word} " * min(1000, times - start)

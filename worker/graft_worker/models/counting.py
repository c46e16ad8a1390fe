"""The most frequent words of texts, counted in memory of a fixed size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

MOST = 1 << 18  # words kept; what learns pieces from them takes half a kilobyte for each
LONG = 64  # characters: what is longer hardly comes twice, and is not counted before it is split

Split = Callable[[str], list[str]]


def words(texts: Iterable[str], split: Split, *, parts: Split, most: int = MOST) -> Counter[str]:
    """How often each word occurs; where there are more than `most`, the most frequent ones.

    `split` makes words of a text. `parts` cuts a text quickly where no word goes on: parts are
    counted first, so that each is split once. Where more than twice `most` are different, the
    rarest are forgotten on the way.
    """
    found: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for text in texts:
        cut = parts(text)
        if max(map(len, cut), default=0) > LONG:
            found.update(split(text))
        else:
            whole.update(cut)
        found, whole = (c if len(c) <= 2 * most else _commonest(c, most) for c in (found, whole))
    for part, times in whole.items():
        for word in split(part):
            found[word] += times
    return found if len(found) <= most else _commonest(found, most)


def _commonest(counted: Counter[str], most: int) -> Counter[str]:
    ranked = sorted(counted, key=lambda word: (-counted[word], word))
    return Counter({word: counted[word] for word in ranked[:most]})


def at_spaces(text: str) -> list[str]:
    """What stands between spaces."""
    return text.split(" ")


def before_spaces(text: str) -> list[str]:
    """Words with the space before them; the text as it is where its spaces are not single ones."""
    plain = text.split()
    if " ".join(plain) != text:
        return [text]
    return [*plain[:1], *(f" {word}" for word in plain[1:])]

"""What people read: messages on stderr, with the text of others made harmless."""

from __future__ import annotations

import sys
import unicodedata
from contextlib import suppress

KEPT = "\n\t"


def say(text: str) -> None:
    """One message on stderr; stdout is for results only."""
    with suppress(OSError):  # nobody is left to read it: no reason to end a training
        print(harmless(text), file=sys.stderr, flush=True)


def error(message: str, *, hint: str = "") -> None:
    """An error and, indented below it, what to do about it."""
    say(f"graft: error: {message}" + "".join(f"\n  {line}" for line in hint.splitlines()))


def harmless(text: str) -> str:
    """The text with control and direction marks written out: no terminal obeys them."""
    return "".join(c if c in KEPT or not _commands(c) else _written(c) for c in text)


def _commands(character: str) -> bool:
    # Cf holds the marks that turn the direction of text around
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def _written(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")

"""Keeps passwords, tokens and keys out of logs and messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "***"
LEAST = 6  # shorter values are words of everyday text

_TELLING = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SIGNATURE",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)")
_QUERY = re.compile(
    r"([?&][^=&\s]*(?:signature|token|secret|credential|password)[^=&\s]*=)[^&\s\"']+",
    re.IGNORECASE,
)


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Values of the variables whose names say that they are secret, longest first."""
    found = {v for name, v in environ.items() if _TELLING.search(name) and len(v) >= LEAST}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these values, without passwords in URLs and without signed queries."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    text = _USER_INFO.sub(HIDDEN, text)
    return _QUERY.sub(rf"\g<1>{HIDDEN}", text)

"""Scalars with a grammar of their own; each is one core schema, so error paths stay clean."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

QUANTITY = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
# Days stand alone: CEL's durations know none, and splitting the text there costs too much.
SPAN = r"[0-9]+d|([0-9]+(\.[0-9]+)?(h|m|s|ms))+"
UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
HUGE = range(2**53)  # whole numbers that JSON readers agree on


def seconds(duration: str) -> float:
    """The length of a Go-style duration or of days: `1h30m` is 5400, `7d` is 604800."""
    return sum(float(n) * UNITS[u] for n, u in re.findall(r"([0-9.]+)(ms|[dhms])", duration))


def cel_seconds(value: str) -> str:
    """The same in CEL: days are read as hours, times 24."""
    days = f"duration({value}.replace('d', 'h')).getSeconds() * 24"
    return f"({value}.endsWith('d') ? {days} : duration({value}).getSeconds())"


def _scalar(
    expected: str,
    pattern: str,
    *,
    whole: range | None = None,
    as_text: bool = False,
    length: int = 32,
) -> tuple[Any, Any]:
    """Validator and schema of text with a grammar, or of a whole number from the range.

    The schema uses CEL, not `pattern`, so that the server says what it expects.
    """

    def check(value: object) -> object:
        if isinstance(value, str) and len(value) <= length and re.search(pattern, value):
            return value
        if whole is not None and type(value) is int and value in whole:
            return str(value) if as_text else value
        found = json.dumps(value, ensure_ascii=False, default=str)
        raise PydanticCustomError(
            "scalar",
            "{expected}, found {found}",
            {"expected": f"expected {expected}", "found": found},
        )

    text = f"self.matches(r'{pattern}')"
    kind = {"type": "string"} if whole is None else {"x-kubernetes-int-or-string": True}
    rule = text if whole is None else f"type(self) == int ? self >= {whole.start} : {text}"
    message = {"rule": rule, "message": f"expected {expected}"}
    schema = kind | {"maxLength": length, "x-kubernetes-validations": [message]}
    return PlainValidator(check), WithJsonSchema(schema)


Quantity = Annotated[
    str,
    *_scalar(
        'a quantity such as 500m, 2 or 4Gi (quote fractions: "0.5")',
        QUANTITY,
        whole=HUGE,
        as_text=True,
    ),
]
Label = Annotated[
    str,
    *_scalar(
        "text or a whole number (quote yes, no, on, off)",
        "^.{1,128}$",
        whole=HUGE,
        as_text=True,
        length=128,
    ),
]
Duration = Annotated[str, *_scalar("a duration such as 90s, 1h30m or 7d", f"^({SPAN})$")]
DurationOrAuto = Annotated[
    str, *_scalar("auto or a duration such as 90s or 1h30m", f"^(auto|{SPAN})$")
]
CountOrAuto = Annotated[
    int | Literal["auto"],
    *_scalar("auto or a whole number from 1", "^auto$", whole=range(1, 2**31)),
]
_PART = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
Namespace = Annotated[str, *_scalar("the name of a namespace", f"^{_PART}$", length=63)]
Hostname = Annotated[
    str,
    *_scalar(
        "a host name in small letters such as models.example.com or *.example.com",
        rf"^(\*\.)?{_PART}(\.{_PART})*$",
        length=253,
    ),
]
PathPrefix = Annotated[
    str,
    *_scalar(
        "/ or a path such as /models/reviews",
        r"^(/|(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+)$",  # no part of it means "the folder above"
        length=256,
    ),
]

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Natural = Annotated[int, Field(ge=0, le=2**31 - 1)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
Weight = Annotated[float, Field(ge=0, le=1e9)]
Short = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=1024)]
KEY = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
Key = Annotated[str, Field(min_length=1, max_length=253, pattern=KEY)]
Digest = Annotated[str, Field(max_length=71, pattern=DIGEST)]
Time = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
Big = Annotated[int, Field(ge=0, le=2**53)]
Seconds = Annotated[float, Field(ge=0, le=1e12)]
IN_CLUSTER = {
    "rule": "self.startsWith('/') || self.contains('://')",
    "message": "a relative path means nothing in a cluster: use pvc://claim/path, s3://, https://,"
    " hf://, example:// or an absolute path in the pod",
}
Uri = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        json_schema_extra={"x-kubernetes-validations": [IN_CLUSTER]},
    ),
]
Free = Annotated[
    dict[str, Any],
    Field(max_length=256),
    WithJsonSchema(
        {"type": "object", "maxProperties": 256, "x-kubernetes-preserve-unknown-fields": True}
    ),
]
LIST_BY_NAME: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
LIST_BY_TYPE: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}

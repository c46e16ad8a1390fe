"""What `spec.app.params` may say to the apps that give one answer per example."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from graft_api.errors import ConfigError
from graft_worker.data.prepared import Problem

Wanted = Problem | Literal["auto"]

_PROBLEMS = ("auto", "single_label", "multi_label", "regression")
_KNOWN = ("problem", "dropout", "multiLabel", "separator")
_AT = "spec.app.params"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """How the head is trained and how the target column is read."""

    problem: Wanted = "auto"  # auto: by the values of the target column
    dropout: float = 0.1  # before the head
    separator: str = ","  # between the labels of one text cell, multi_label only


def read_params(
    params: Mapping[str, Any], *, more: tuple[str, ...] = (), dropout: float = 0.1
) -> Params:
    """The parameters that the job gives, the rest by default.

    `more` are names that the app reads itself, `dropout` is its own default.

    Raises:
        ConfigError: a name is unknown, a value cannot be used, or two contradict each other.
    """
    for name in params:
        if name not in (*_KNOWN, *more):
            raise _unknown(name, (*_KNOWN, *more))
    return Params(
        problem=_problem(params),
        dropout=_dropout(params.get("dropout", dropout)),
        separator=_separator(params.get("separator", ",")),
    )


def _unknown(name: str, known: tuple[str, ...]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return ConfigError(f"{_AT}.{name}: unknown; did you mean {near[0]}?")
    return ConfigError(f"{_AT}.{name}: unknown", hint=f"these are known: {', '.join(known)}")


def _problem(params: Mapping[str, Any]) -> Wanted:
    given = params.get("problem", "auto")
    if given not in _PROBLEMS:
        raise ConfigError(f"{_AT}.problem: {given!r}: expected one of {', '.join(_PROBLEMS)}")
    many = params.get("multiLabel", given == "multi_label")
    if not isinstance(many, bool):
        raise ConfigError(f"{_AT}.multiLabel: {many!r}: expected true or false")
    if many and given not in ("auto", "multi_label"):
        raise ConfigError(
            f"{_AT}.multiLabel: true, but {_AT}.problem is {given}",
            hint="leave one of the two out",
        )
    if not many and given == "multi_label":
        raise ConfigError(
            f"{_AT}.multiLabel: false, but {_AT}.problem is multi_label",
            hint="leave one of the two out",
        )
    return "multi_label" if many else cast(Wanted, given)


def _dropout(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 1:
        raise ConfigError(
            f"{_AT}.dropout: {given!r}: expected a number from 0 up to, but not including, 1"
        )
    return float(given)


def _separator(given: object) -> str:
    if isinstance(given, str) and given:
        return given
    raise ConfigError(f"{_AT}.separator: {given!r}: expected one or more characters")

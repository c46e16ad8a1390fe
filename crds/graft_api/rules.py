"""One rule, two readers: Python checks it while decoding, the API server checks its CEL form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

ATOMIC: Mapping[str, Any] = MappingProxyType({"x-kubernetes-map-type": "atomic"})
OPEN: Mapping[str, Any] = MappingProxyType({"x-kubernetes-preserve-unknown-fields": True})


def key(name: str) -> str:
    """The YAML key of a Python attribute: `from_` is `from`, `min_keep` is `minKeep`."""
    return to_camel(name.rstrip("_"))


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over one object, written once for Python and once for the API server.

    `{minKeep}` in the message is filled with that key's value. `check` is None where the rule
    needs the old object or holds in a cluster only. `at` is the key at fault, dotted, relative to
    the object; empty: the object itself.
    """

    cel: str
    message: str
    check: Callable[[Any], bool] | None = None
    at: str = ""


class Part(BaseModel):
    """Base of everything a user writes: strict, frozen, camelCase in YAML, unknown keys refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        defer_build=True,
        alias_generator=key,
        validate_by_name=True,
        validate_by_alias=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()
    mutable: ClassVar[tuple[str, ...]] = ()  # attributes that may change after creation
    named: ClassVar[bool] = False  # a refused change names the attribute, not the whole part
    schema_extra: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    @model_validator(mode="after")
    def _obeys_rules(self) -> Self:
        broken = [r for r in self.rules if r.check and not r.check(self)]
        if broken:
            faults = [(r.at, fill(r.message, self)) for r in broken]
            raise PydanticCustomError("rules", "{faults}", {"faults": faults})
        return self


class Observed(Part):
    """Base of status: what a newer operator wrote must not stop an older reader."""

    model_config = ConfigDict(extra="ignore")


class Open(Part):
    """Base of overlays: named keys are checked, the others are kept as they are."""

    model_config = ConfigDict(extra="allow")
    schema_extra = OPEN


def fill(message: str, model: BaseModel) -> str:
    """The message with `{key}` replaced by the model's value of that key."""
    values = {key(n): getattr(model, n) for n in type(model).model_fields}

    def shown(match: re.Match[str]) -> str:
        value = values[match[1]]
        return "unset" if value is None else str(value)

    return re.sub(r"\{(\w+)\}", shown, message)


def exactly_one(*names: str) -> Rule:
    """One and only one of the attributes is set."""
    keys = [key(n) for n in names]
    return Rule(
        cel=f"[{', '.join(f'has(self.{k})' for k in keys)}].exists_one(x, x)",
        message=f"set exactly one of {', '.join(keys)}",
        check=lambda part: sum(getattr(part, n) is not None for n in names) == 1,
    )


def only_with(name: str, by: str, *values: str) -> Rule:
    """`name` has no effect unless `by` is one of the values, and so is refused."""
    wanted = " or ".join(values)
    return Rule(
        cel=f"!has(self.{key(name)}) || self.{key(by)} in {list(values)}",
        message=f"{key(name)} has no effect unless {key(by)} is {wanted}; found {{{key(by)}}}",
        check=lambda part: getattr(part, name) is None or getattr(part, by) in values,
        at=key(name),
    )


def own_block(name: str) -> Rule:
    """Parameters of a method stand beside its name only when that method is chosen."""
    block = key(name)
    return Rule(
        f"self.name == '{name}' || !has(self.{block})",
        f"{block} has no effect with method {{name}}: remove it or set name to {name}",
        lambda part: part.name == name or getattr(part, name) is None,
        at=block,
    )

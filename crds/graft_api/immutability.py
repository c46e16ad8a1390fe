"""Which fields a job keeps for ever, and the transition rules that say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from .rules import Part, Rule, key

MESSAGE = "cannot be changed once the job exists: submit a new job under another name"


def fixed_rules(model: type[Part]) -> tuple[Rule, ...]:
    """One rule for each field of the model that is compared as a whole."""
    if not _compared_by_field(model):
        return ()
    return tuple(_immutable(model, name) for name in model.model_fields if is_fixed(model, name))


def is_fixed(model: type[Part], name: str) -> bool:
    """Whether the attribute as a whole keeps its first value."""
    parts = parts_of(model.model_fields[name].annotation)
    return name not in model.mutable and not any(map(_compared_by_field, parts))


def fixed_paths(model: type[Part], path: str = "") -> Iterator[str]:
    """Dotted YAML paths of everything that keeps its first value, with all that is below it."""
    if not _compared_by_field(model):
        return
    for name in model.model_fields:
        here = f"{path}.{key(name)}".removeprefix(".")
        if is_fixed(model, name):
            yield here
        elif name not in model.mutable:
            for part in parts_of(model.model_fields[name].annotation):
                yield from fixed_paths(part, here)


def parts_of(annotation: Any) -> list[type[Part]]:
    """The models that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return [annotation]
    return [part for argument in get_args(annotation) for part in parts_of(argument)]


def _compared_by_field(model: type[Part]) -> bool:
    below = (part for field in model.model_fields.values() for part in parts_of(field.annotation))
    return bool(model.mutable or model.named) or any(map(_compared_by_field, below))


def _immutable(model: type[Part], name: str) -> Rule:
    field, k = model.model_fields[name], key(name)
    equal = f"self.{k} == oldSelf.{k}"
    if not field.is_required() and field.get_default(call_default_factory=True) is None:
        equal = f"has(self.{k}) == has(oldSelf.{k}) && (!has(self.{k}) || {equal})"
    return Rule(equal, f"{k} {MESSAGE}", at=k)

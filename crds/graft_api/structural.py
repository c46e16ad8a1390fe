"""pydantic models to structural schemas, the dialect of JSON schema that an API server takes."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import BaseModel

from .docstrings import attribute_docs
from .immutability import fixed_rules
from .rules import Part, Rule, key

Schema = dict[str, Any]
DROPPED = ("title", "additionalProperties", "default", "propertyNames")


def structural(model: type[Part]) -> Schema:
    """The model as one schema: no references, defaults at every level, rules in CEL."""
    schema = model.model_json_schema(by_alias=True)
    return _Shaper(schema.pop("$defs", {})).shape(schema, model)


class _Shaper:
    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions
        self._models = models()

    def shape(self, node: Schema, model: type[Part] | None = None) -> Schema:
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            model = self._models[name]
            node = self._definitions[name] | {k: v for k, v in node.items() if k != "$ref"}
        if "anyOf" in node:  # X | None: an optional key, never null
            (present,) = (part for part in node["anyOf"] if part != {"type": "null"})
            return self.shape(present | {k: v for k, v in node.items() if k != "anyOf"})
        out = _plain(node)
        if "items" in node:
            out["items"] = self.shape(node["items"])
        values = node.get("additionalProperties")
        if isinstance(values, dict) and values and model is None:
            out["additionalProperties"] = self.shape(values)
        return out if model is None else out | self._object(node, model)

    def _object(self, node: Schema, model: type[Part]) -> Schema:
        docs = attribute_docs(model)
        out: Schema = {
            "description": node.get("description") or inspect.getdoc(model),
            "properties": {},
        }
        for name in sorted(model.model_fields, key=lambda n: n not in model.__annotations__):
            field = model.model_fields[name]  # what sets a kind apart comes first
            child = self.shape(node["properties"][key(name)])
            child["description"] = docs[name]
            if not field.is_required():
                child |= _default(field.get_default(call_default_factory=True))
            out["properties"][key(name)] = child
        rules = [*model.rules, *fixed_rules(model)]
        if rules:
            out["x-kubernetes-validations"] = [_validation(rule, model) for rule in rules]
        return out | dict(model.schema_extra)


def models() -> dict[str, type[Part]]:
    """Every model that has been imported, by its name."""
    found: dict[str, type[Part]] = {}
    todo: list[type[Part]] = [Part]
    while todo:
        model = todo.pop()
        found[model.__name__] = model
        todo += model.__subclasses__()
    return found


def _plain(node: Schema) -> Schema:
    """The node in the words of OpenAPI 3.0: enum for const, boolean exclusive bounds."""
    out = {k: v for k, v in node.items() if k not in DROPPED}
    if "const" in out:
        out["enum"] = [out.pop("const")]
    for bound, word in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if word in out:
            out |= {bound: out[word], word: True}
    return out


def _default(value: Any) -> Schema:
    """The default, written in full: CEL judges it before the nested ones are filled in."""
    if value is None:
        return {}
    if isinstance(value, BaseModel):
        return {"default": value.model_dump(mode="json", by_alias=True, exclude_none=True)}
    return {"default": list(value) if isinstance(value, tuple) else value}


def _validation(rule: Rule, model: type[Part]) -> Schema:
    out: Schema = {"rule": rule.cel, "message": re.sub(r"[{}]", "", rule.message)}
    if names := re.findall(r"\{(\w+)\}", rule.message):
        out["messageExpression"] = _message_expression(rule.message, names, model)
    if rule.at and not rule.at.startswith("metadata"):  # the server's schema has no metadata
        out["fieldPath"] = f".{rule.at}"
    return out


def _message_expression(message: str, names: list[str], model: type[Part]) -> str:
    """Format, not +: the cost of string(x) + y has no bound."""
    optional = {key(n) for n, f in model.model_fields.items() if _may_be_absent(f)}
    shown = [
        f"has(self.{n}) ? dyn(self.{n}) : dyn('unset')" if n in optional else f"self.{n}"
        for n in names
    ]
    text = re.sub(r"{.*?}", "%s", message)
    return f"{text!r}.format([{', '.join(shown)}])"


def _may_be_absent(field: Any) -> bool:
    return not field.is_required() and field.get_default(call_default_factory=True) is None

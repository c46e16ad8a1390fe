"""The docstring under each attribute, read from the source by generators only.

pydantic can do this at import, which costs every process 80 ms.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise

from .rules import Part


@cache
def attribute_docs(model: type[Part]) -> dict[str, str]:
    """Text by attribute; a subclass's words replace those of its bases."""
    docs: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, Part):
            docs |= _own(base)
    return docs


def _own(model: type[Part]) -> dict[str, str]:
    body = _classes(model.__module__)[model.__name__].body
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}

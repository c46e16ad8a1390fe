"""YAML as kubectl reads it, with the line of every value and all mistakes of the text itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from .faults import DecodeError, Fault, Path, dotted

LONGEST = 2**20  # bytes of a file
MOST_VALUES = 100_000  # aliases counted each time they are used
DEEPEST = 64

if TYPE_CHECKING:
    _Base = yaml.SafeLoader
else:
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_Base):
    """3e-5 is a number, y and n are booleans, 12:30 and 2026-01-01 are text."""


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    number = re.compile(r"^[-+]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$")
    integer = re.compile(r"^[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$")
    own = {"tag:yaml.org,2002:int": integer, "tag:yaml.org,2002:float": number}
    letters = ("tag:yaml.org,2002:bool", re.compile("^[yYnN]$"))
    kept = {letter: [letters] for letter in "yYnN"}
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items():
        tags = [(t, own.get(t, pattern)) for t, pattern in pairs if not t.endswith("timestamp")]
        whole_first = sorted(tags, key=lambda pair: pair[0].endswith("float"))
        kept[first] = kept.get(first, []) + whole_first
    return kept


Loader.yaml_implicit_resolvers = _resolvers()


@dataclass(slots=True)
class Tree:
    """Plain data, where each path was written, and what is wrong with the YAML itself."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    overrides: dict[Path, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    values: int = 0

    def fault(self, path: Path, message: str) -> Fault:
        """A fault of that path, placed at its nearest ancestor that was written somewhere."""
        near = path
        while near and near not in self.lines and near not in self.overrides:
            near = near[:-1]
        line, override = self.lines.get(near, 1 if self.lines else 0), self.overrides.get(near, "")
        return Fault(
            path=dotted(path), line=0 if override else line, message=message, override=override
        )


def read(text: str) -> Tree:
    """The tree of one YAML document.

    Raises:
        DecodeError: the text is not one YAML mapping.
    """
    if len(text) > LONGEST:
        raise _unreadable(1, f"the file is larger than {LONGEST // 2**20} MiB: is it a job file?")
    tree = Tree()
    loader, node = _compose(text)
    if node is None:
        raise _unreadable(0, "the file is empty: `graft init` writes a job to start from")
    if not isinstance(node, yaml.MappingNode):
        found = "a list" if isinstance(node, yaml.SequenceNode) else repr(str(node.value)[:40])
        message = f"expected a mapping with apiVersion, kind, metadata and spec, found {found}"
        raise _unreadable(node.start_mark.line + 1, message)
    tree.data = _plain(node, (), tree, loader)
    return tree


def _compose(text: str) -> tuple[Loader, yaml.Node | None]:
    try:
        _measure(text)
        loader = Loader(text)
        return loader, loader.get_single_node()
    except yaml.reader.ReaderError as error:
        raise _unreadable(text.count("\n", 0, error.position) + 1, _strange(error)) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        if error.problem == "but found another document":
            raise _unreadable(line, "a second document begins: give each job a file") from None
        raise _unreadable(line, f"not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise _unreadable(1, f"not valid YAML: {error}") from None


def _measure(text: str) -> None:
    """Refuses depths that would overrun the stack of the composer, which is written in C."""
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _unreadable(line, f"nested more than {DEEPEST} levels deep")


def _strange(error: yaml.reader.ReaderError) -> str:
    code = error.character if isinstance(error.character, int) else ord(error.character)
    return f"the character U+{code:04X} cannot stand in YAML: is this a binary file?"


def _unreadable(line: int, message: str) -> DecodeError:
    return DecodeError([Fault(path="", line=line, message=message)])


def _plain(node: yaml.Node, path: Path, tree: Tree, loader: Loader) -> Any:
    tree.lines.setdefault(path, node.start_mark.line + 1)
    tree.values += 1
    if len(path) > DEEPEST:
        raise DecodeError([tree.fault(path[:8], "an alias holds itself")])
    if tree.values > MOST_VALUES:
        message = f"holds more than {MOST_VALUES} values, aliases counted each time"
        raise DecodeError([tree.fault(path[:1], message)])
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), tree, loader) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, tree, loader)
    return _scalar(node, path, tree)


def _mapping(node: yaml.MappingNode, path: Path, tree: Tree, loader: Loader) -> dict[str, Any]:
    loader.flatten_mapping(node)
    out: dict[str, Any] = {}
    seen: set[str] = set()
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode):
            tree.faults.append(tree.fault(path, "a key must be a word, found a list or a mapping"))
            continue
        word = str(name.value)
        at = (*path, word)
        if word in seen:
            first = tree.lines[at]
            message = f"key is set twice, first in line {first}"
            line = name.start_mark.line + 1
            tree.faults.append(Fault(path=dotted(at), line=line, message=message))
            continue
        seen.add(word)
        tree.lines.setdefault(at, name.start_mark.line + 1)
        plain = _plain(value, at, tree, loader)
        if plain is not None:  # an empty value means the default, as in the API server
            out[word] = plain
    return out


def _scalar(node: yaml.Node, path: Path, tree: Tree) -> Any:
    tag = node.tag.rsplit(":", 1)[-1]
    try:
        return _value(node.value, tag)
    except ValueError:
        tree.faults.append(tree.fault(path, f"cannot read {node.value!r} as {tag}"))
        return None


def _value(text: str, tag: str) -> Any:
    digits = text.replace("_", "")
    match tag:
        case "null":
            return None
        case "bool":
            return text.lower() in ("y", "yes", "true", "on")
        case "int":
            octal = re.fullmatch(r"[-+]?0[0-7]+", digits)
            return int(digits, 8) if octal else int(digits, 0)
        case "float":
            number = float(digits)
            whole = number.is_integer() and "." not in digits and abs(number) < 2**53
            return int(number) if whole else number
        case "str":
            return text
    raise ValueError(tag)

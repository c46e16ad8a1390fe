"""Refuses functions over 50 lines, files over 300, modules that would shadow the library's."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FUNCTION_LINES = 50
FILE_LINES = 300
FOLDERS = ("crds", "cli", "operator", "worker", "tools", "tests", "benchmarks")
# Each of these folders is on the path as a whole: a module in it would hide one of the same name.
BARE = ("crds", "cli", "operator", "worker")


def faults(root: Path) -> Iterator[str]:
    """Every breach below the root, one line each, with the place and the remedy."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            yield from _oversized(path, path.relative_to(root))
    for folder in BARE:
        for path in sorted((root / folder).glob("*.py")):
            yield f"{path.relative_to(root)}: no module may stand here, it hides the library's own"


def _oversized(path: Path, shown: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if (lines := text.count("\n")) > FILE_LINES:
        yield f"{shown}: {lines} lines, at most {FILE_LINES}: split it by question"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{shown}:{node.lineno} {node.name}: {length} lines, at most {FUNCTION_LINES}"


def main() -> int:
    """The exit code: 0 when nothing is too long."""
    found = list(faults(Path(__file__).parent.parent))
    print("\n".join(found) or "caps: nothing is too long")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

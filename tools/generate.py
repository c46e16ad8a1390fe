"""Writes the generated files; `--check` names those that are not what the models say."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from graft_api import crd, reference
from graft_api.kinds import KINDS
from tools.chart import texts
from tools.chart.boards import boards

NOTICE = "# Generated from crds/graft_api; change the models and run `make crds`.\n"


class _Plain(yaml.SafeDumper):
    """YAML without anchors, which people read better."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (the signature is yaml's)
        """Always: every use of a value is written out."""
        return True


@cache
def generated() -> Mapping[str, str]:
    """The text of every generated file by its path from the root."""
    definitions = {f"crds/{crd.plural(kind)}.yaml": _definition(kind) for kind in KINDS}
    pages = {f"docs/reference/{kind.lower()}.md": reference.page(kind) for kind in KINDS}
    copies = {f"charts/graft/files/{path}": text for path, text in definitions.items()}
    return definitions | pages | copies | _chart()


def _chart() -> dict[str, str]:
    folder = "charts/graft/files/dashboards"
    return {f"{folder}/{name}.json": text for name, text in boards().items()} | {
        "charts/graft/values.yaml": texts.values_yaml(),
        "charts/graft/values.schema.json": texts.values_schema(),
        "docs/reference/chart.md": texts.values_page(),
    }


def drifted(root: Path) -> list[str]:
    """Paths of the generated files below the root that hold something else."""
    return [path for path, text in generated().items() if _read(root / path) != text]


def write(root: Path) -> None:
    """Writes every generated file below the root, each as a whole or not at all."""
    for path, text in generated().items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.partial")
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)


def _definition(kind: str) -> str:
    body = yaml.dump(
        crd.definition(kind),
        Dumper=_Plain,
        sort_keys=False,
        default_flow_style=None,
        width=160,
        allow_unicode=True,
    )
    return f"{NOTICE}{body}"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: list[str]) -> int:
    """The exit code: 1 where `--check` finds a file that has drifted."""
    root = Path(__file__).parent.parent
    if arguments != ["--check"]:
        write(root)
        print(f"generate: wrote {len(generated())} files")
        return 0
    found = drifted(root)
    for path in found:
        print(f"{path} is not what the models say: run `make crds`")
    if not found:
        print("generate: nothing has drifted")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

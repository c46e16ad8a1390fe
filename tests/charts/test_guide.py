"""The values in the guide are values of the chart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.chart.values import Values

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "cluster.md").read_text()
FENCES = re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
CELLS = re.findall(r"^\| `(\w+: \{.*?\})` \|", GUIDE, re.MULTILINE)
BLOCKS = [yaml.safe_load(text) for text in (*FENCES, *CELLS) if "kind:" not in text]
KNOWN = Values().model_dump(by_alias=True)


def test_guide_has_blocks_of_values() -> None:
    assert len(BLOCKS) == 7


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_values_in_the_guide_are_accepted(block: dict[str, Any]) -> None:
    Values.model_validate(block)


def test_paths_in_the_guide_exist() -> None:
    tops = "|".join(KNOWN)
    named = re.findall(rf"`((?:{tops})(?:\.\w+)+)(?:: \w+)?`", GUIDE)
    assert named
    assert [path for path in named if not exists(path)] == []


def exists(path: str) -> bool:
    node: Any = KNOWN
    for word in path.split("."):
        if not isinstance(node, dict) or word not in node:
            return False
        node = node[word]
    return True

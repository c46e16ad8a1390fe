"""Every job in the documents decodes, plans and shows what the text says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from graft_api.decoding import decode
from graft_api.planner import plan

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def documents() -> list[Path]:
    below = (path for folder in ("docs", "examples") for path in (ROOT / folder).rglob("*.md"))
    return sorted([*ROOT.glob("*.md"), *below])


def jobs() -> Iterator[tuple[str, str]]:
    for path in documents():
        for number, match in enumerate(FENCE.finditer(path.read_text())):
            if "kind:" in match[1]:
                yield f"{path.relative_to(ROOT)} block {number + 1}", match[1]


@pytest.mark.parametrize(("place", "text"), [pytest.param(*job, id=job[0]) for job in jobs()])
def test_job_in_the_documents_decodes_and_plans(place: str, text: str) -> None:
    stages = [stage.name for stage in plan(decode(text)).stages]
    assert stages in (["prepare", "train"], ["serve"])


@pytest.mark.parametrize("path", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = [t for t in LINK.findall(path.read_text()) if "://" not in t]
    assert [t for t in targets if not (path.parent / t).exists()] == []

"""The house stands: no shadowed module, no misleading install hint, no leak of this machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import caps

TEXT = {".py", ".md", ".yaml", ".toml", ".txt", ".json", ".tsv", ""}


def tracked(root: Path) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [root / name for name in listed if (root / name).is_file()]


def test_nothing_is_too_long_and_nothing_shadows_the_library(root: Path) -> None:
    assert list(caps.faults(root)) == []


def test_caps_find_a_long_function_and_a_module_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "operator").mkdir()
    body = "\n".join("    x = 1" for _ in range(50))
    (tmp_path / "operator" / "__init__.py").write_text(f"def long():\n{body}\n")
    assert list(caps.faults(tmp_path)) == [
        "operator/__init__.py:1 long: 51 lines, at most 50",
        "operator/__init__.py: no module may stand here, it hides the library's own",
    ]


@pytest.mark.parametrize("folder", ["crds", "cli", "operator", "worker"])
def test_python_still_finds_its_own_modules_beside(root: Path, folder: str) -> None:
    code = "import operator, cmd; print(operator.add(1, 2), operator.__file__)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(root / folder)},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("3 ")
    assert str(root / folder) not in result.stdout


def test_no_test_folder_is_named_operator(root: Path) -> None:
    assert not (root / "tests" / "operator").exists()


def test_install_hints_name_our_distribution(root: Path) -> None:
    hint = re.compile(r"pip install +(?:-U +)?['\"]?graft(?![-_])")
    assert [str(p) for p in tracked(root) if p.suffix in TEXT and hint.search(p.read_text())] == []


def test_files_name_no_index_host_and_no_home(root: Path) -> None:
    leak = re.compile(
        "|".join(["pypi" + r"\.org", "python" + "hosted", "/root" + "/", "/work" + "/"])
    )
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path in tracked(root)
        if path.suffix in TEXT and (match := leak.search(path.read_text()))
    ]
    assert found == []


def test_every_package_exports_its_types(root: Path) -> None:
    for package in (
        "crds/graft_api",
        "cli/graft_cli",
        "operator/graft_operator",
        "worker/graft_worker",
    ):
        assert (root / package / "py.typed").is_file()

"""The image of the server has what the server loads, and is built as the others are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.serve.running import LOADING

ROOT = Path(__file__).parents[2]
COPIED = re.compile(r"^COPY (\w+/\w+) ", re.MULTILINE)
REMOVED = re.compile(r"&& rm -rf (graft_cli(?:.*\\\n)*.*)")
WHERE = "import graft_worker; print(graft_worker.__file__)\n"
DOCKERFILE = ROOT / "images" / "serve" / "Dockerfile"


def wanted(extra: str) -> set[str]:
    """The distributions that an extra brings, those that these bring included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    left = [*project["dependencies"], *project["optional-dependencies"][extra]]
    found: set[str] = set()
    while left:
        requirement = Requirement(left.pop())
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        try:
            left += metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another platform or another build of torch
    return found


def test_the_extra_brings_every_library_that_the_server_loads(loaded: frozenset[str]) -> None:
    tops = {name.partition(".")[0] for name in loaded}
    homes = metadata.packages_distributions()
    needed = {canonicalize_name(homes[name][0]) for name in tops if name in homes}
    assert {"granian", "orjson", "torch", "psutil", "prometheus-client"} <= needed
    # torch loads dill where it finds it: the extra bench-rows brings it.
    assert needed - wanted("serve") - {"graft-operator", "setuptools", "dill"} == set()


def test_a_server_works_without_what_its_image_leaves_out(artefact: Path, tmp_path: Path) -> None:
    text = DOCKERFILE.read_text()
    for folder in COPIED.findall(text):
        shutil.copytree(ROOT / folder, tmp_path / Path(folder).name)
    removed = REMOVED.search(text)
    assert removed
    for name in removed[1].replace("\\", "").split():
        shutil.rmtree(tmp_path / name)
    assert not (tmp_path / "graft_worker" / "train").exists()
    told = subprocess.run(
        [sys.executable, "-c", WHERE + LOADING, str(artefact)],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"{tmp_path}/")


def test_the_image_is_built_as_that_of_the_worker_but_for_what_is_in_it() -> None:
    text = DOCKERFILE.read_text()
    assert "--extra serve --extra onnx --extra transformers" in text
    assert 'ENTRYPOINT ["python", "-m", "graft_worker.serve"]' in text
    worker = (ROOT / "images" / "worker" / "Dockerfile").read_text()
    assert stage(text, "tools") == stage(worker, "tools")
    assert "USER 65532:65532" in stage(text, "")
    assert "USER 65532:65532" in stage(worker, "")


def stage(text: str, name: str) -> str:
    """The instructions of a Dockerfile's stage; "" is the last."""
    stages = re.split(r"^(?=FROM )", text, flags=re.MULTILINE)
    found = [each for each in stages if each.splitlines()[0].endswith(f" AS {name}")]
    lines = (found[0] if name else stages[-1]).splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))

"""One binary for every part of Kubernetes: they share most of their code, so it links once.

`k8s.io/kubernetes` cannot be installed: its go.mod replaces the staging modules by folders, and
Go ignores replaces of a dependency. A module of our own has the same ones, to what was published.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.processes import output
from tests.cluster.settings import HERE, Settings
from tests.cluster.versions import KUBERNETES

STAMP = "k8s.io/component-base/version"  # without it nodes report v0.0.0


def build(settings: Settings) -> None:
    """Writes `bin/kube`."""
    source = settings.cache / "src"
    source.mkdir(parents=True, exist_ok=True)
    settings.bin.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / "gomodules" / "kube.go", source / "main.go")
    (source / "go.mod").write_text("\n".join(_module()) + "\n")
    _go(source, "mod", "tidy")
    _, minor, _ = KUBERNETES.split(".")
    values = {"gitVersion": KUBERNETES, "gitMajor": "1", "gitMinor": minor}
    stamps = " ".join(f"-X {STAMP}.{name}={value}" for name, value in values.items())
    target = settings.bin / "kube.partial"
    _go(source, "build", "-ldflags", f"-s -w {stamps}", "-o", str(target), ".")
    target.replace(settings.bin / "kube")


def _module() -> Iterator[str]:
    told = output(["go", "mod", "download", "-json", f"k8s.io/kubernetes@{KUBERNETES}"])
    theirs = Path(json.loads(told)["GoMod"]).read_text()
    yield "module graft.dev/cluster"
    yield from re.findall(r"^(?:go|godebug) [^(\n]+$", theirs, re.MULTILINE)
    yield from re.findall(r"^godebug \(.*?^\)", theirs, re.MULTILINE | re.DOTALL)
    yield f"require k8s.io/kubernetes {KUBERNETES}"
    if etcd := re.search(r"go\.etcd\.io/etcd/(?:client|server)\S*v3 (v[0-9.]+)", theirs):
        yield f"require go.etcd.io/etcd/server/v3 {etcd[1]}"
    for name in sorted(set(re.findall(r"(k8s\.io/[a-z-]+) v0\.0\.0\s", theirs))):
        yield f"replace {name} => {name} {KUBERNETES.replace('v1.', 'v0.', 1)}"


def _go(folder: Path, *arguments: str) -> None:
    output(
        ["nice", "go", "-C", str(folder), *arguments],
        environ={**os.environ, "GOFLAGS": "-buildvcs=false"},
    )

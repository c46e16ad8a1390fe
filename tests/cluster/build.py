"""Builds every program once into the cache; a second run only looks."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import kube
from tests.cluster.processes import output
from tests.cluster.settings import Settings
from tests.cluster.versions import KUBE_PARTS, KUBERNETES, PACKAGES, PROGRAMS, Program

TAGS = "no_btrfs,no_zfs,no_devmapper,no_tracing"


def ensure_binaries(settings: Settings) -> None:
    """Every program of the table, at its version, in `bin`; Debian's where they are missing."""
    with locked(settings, "build"):
        ensure_packages()
        for program in PROGRAMS:
            if not _at(settings, program.name, *program.module.rsplit("@", 1)):
                with timed(program.name):
                    _install(settings, program)
        if not _at(settings, "kube", "k8s.io/kubernetes", KUBERNETES):
            with timed("kube"):
                kube.build(settings)
        for name in KUBE_PARTS:
            link = settings.bin / name
            if not link.exists():
                link.symlink_to("kube")


def ensure_packages() -> None:
    """Debian's packages, where a program of theirs is missing and we may install."""
    missing = [PACKAGES[name] for name in PACKAGES if not shutil.which(name, path=_everywhere())]
    if not missing:
        return
    words = " ".join(missing).split()
    if not shutil.which("apt-get"):
        raise RuntimeError(f"programs are missing; install what Debian calls {' '.join(words)}")
    with timed(f"packages {' '.join(words)}"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        output(["apt-get", "update", "-q"], environ=quiet)
        wanted = ["apt-get", "install", "-yq", "--no-install-recommends", *words]
        output(wanted, environ=quiet)


@contextmanager
def locked(settings: Settings, name: str) -> Iterator[None]:
    """One process at a time inside, on this cache."""
    settings.cache.mkdir(parents=True, exist_ok=True)
    with (settings.cache / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Prints how long the inside took."""
    start = time.monotonic()
    yield
    print(f"cluster: {what}: {time.monotonic() - start:.1f} s", flush=True)


def _install(settings: Settings, program: Program) -> None:
    settings.bin.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "GOBIN": str(settings.bin), "CGO_ENABLED": "0", "GOFLAGS": ""}
    command = ["nice", "go", "install", "-tags", TAGS, "-ldflags", "-s -w", program.module]
    done = subprocess.run(
        command, cwd=settings.cache, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"go install {program.module} failed:\n{done.stderr[-4000:]}")


def _at(settings: Settings, name: str, module: str, version: str) -> bool:
    """Whether the program is there and was built from this version; Go has written it in."""
    path = settings.bin / name
    if not path.is_file():
        return False
    if not shutil.which("go"):
        return True
    built = output(["go", "version", "-m", str(path)]).split("\n")
    said = [line.split() for line in built]
    return any(
        words[0] in {"mod", "dep"} and f"{module}/".startswith(f"{words[1]}/")
        for words in said
        if len(words) > 2 and words[2] == version
    )


def _everywhere() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

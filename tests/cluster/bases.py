"""Base images from a distribution's packages alone: `pause` and Debian with Python."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster import buildah
from tests.cluster.build import locked, timed
from tests.cluster.processes import output
from tests.cluster.settings import Settings
from tests.cluster.versions import SUITE

PAUSE, BASE = "pause:1", "base:1"
INCLUDE = "python3,python3-venv,ca-certificates"
PAUSE_PROGRAM = """
#include <signal.h>
#include <unistd.h>
static void stop(int number) { (void)number; _exit(0); }
int main(void) { signal(SIGTERM, stop); signal(SIGINT, stop); for (;;) pause(); }
"""
PAUSE_FILE = 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n'
BASE_FILE = """FROM scratch
ADD rootfs.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
"""


def ensure(settings: Settings) -> tuple[str, ...]:
    """References of both images; what is missing is made and pushed."""
    return _ensure(settings, PAUSE), _ensure(settings, BASE)


def reference(settings: Settings, name: str) -> str:
    """What nodes pull."""
    return f"{settings.registry}/{name}"


def local(name: str) -> str:
    """What the image is called in the builder's own store, whatever the registry's port."""
    return f"localhost/graft-{name}"


def _ensure(settings: Settings, name: str) -> str:
    with locked(settings, "buildah"):
        if not buildah.has(settings, local(name)):
            with timed(f"image {name}"):
                work = settings.cache / "work"
                shutil.rmtree(work, ignore_errors=True)
                work.mkdir(parents=True)
                {PAUSE: _make_pause, BASE: _make_base}[name](work)
                buildah.build(settings, work, "-q", "-t", local(name))
                shutil.rmtree(work)
        return buildah.push(settings, local(name), name)


def _make_pause(work: Path) -> None:
    (work / "pause.c").write_text(PAUSE_PROGRAM)
    output(["gcc", "-static", "-Os", "-o", str(work / "pause"), str(work / "pause.c")])
    (work / "Dockerfile").write_text(PAUSE_FILE)


def _make_base(work: Path) -> None:
    root = work / "rootfs"
    output(["debootstrap", "--variant=minbase", f"--include={INCLUDE}", SUITE, str(root)])
    for package in (root / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    archive = str(work / "rootfs.tar")
    output(["tar", "-C", str(root), "--numeric-owner", "-cf", archive, "."])
    (work / ".dockerignore").write_text("rootfs/\n")
    (work / "Dockerfile").write_text(BASE_FILE)

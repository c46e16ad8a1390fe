"""Programs that outlive the process that starts them, found again by a file."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.settings import Settings
from tests.cluster.wait import until

# `$!` is the program itself: in a script's background, setsid does not fork.
DETACHED = 'log=$1; shift; setsid "$@" >>"$log" 2>&1 </dev/null & echo $!'


def spawn(
    settings: Settings, name: str, *command: object, environ: Mapping[str, str] | None = None
) -> int:
    """The process id of the program, which is started unless it runs already."""
    if (running := pid(settings, name)) is not None:
        return running
    log = settings.within("log", f"{name}.log")
    words = [str(word) for word in command]
    told = subprocess.run(
        ["sh", "-c", DETACHED, "sh", str(log), *words],
        env={**settings.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    started = int(told)
    settings.within("run", f"{name}.pid").write_text(f"{started} {birth(started)}")
    return started


def pid(settings: Settings, name: str) -> int | None:
    """The process id of a program that runs, or nothing."""
    path = settings.state / "run" / f"{name}.pid"
    if not path.is_file():
        return None
    found, born = path.read_text().split()
    return int(found) if birth(int(found)) == born != "" else None


def birth(process: int) -> str:
    """When the process began, in ticks; empty when it has ended.

    With it a number that the kernel has given away again is never taken for ours.
    """
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    fields = text[text.rindex(")") + 2 :].split()
    return "" if fields[0] in "ZX" else fields[19]


def halt(settings: Settings, name: str, *, how: signal.Signals = signal.SIGKILL) -> None:
    """Ends the program, if it runs, and waits until it has gone."""
    running = pid(settings, name)
    if running is not None:
        os.kill(running, how)
        until(lambda: pid(settings, name) is None, f"{name} to end")
    (settings.state / "run" / f"{name}.pid").unlink(missing_ok=True)


def tail(settings: Settings, name: str, *, lines: int = 20) -> str:
    """The last lines that the program said."""
    path = settings.state / "log" / f"{name}.log"
    text = path.read_text(errors="replace") if path.is_file() else ""
    return "\n".join(text.splitlines()[-lines:])


def run(settings: Settings, *command: object, stdin: str | None = None) -> str:
    """What a program printed; raises CalledProcessError with what it complained of."""
    return output([str(word) for word in command], environ=settings.environ, stdin=stdin)


def output(
    command: Sequence[str], *, environ: Mapping[str, str] | None = None, stdin: str | None = None
) -> str:
    """What a program printed; raises RuntimeError with what it complained of."""
    done = subprocess.run(
        command, env=environ, input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        told = f"{done.stdout[-2000:]}{done.stderr[-4000:]}"
        raise RuntimeError(f"{' '.join(command)[:300]} ended with {done.returncode}:\n{told}")
    return done.stdout

"""How every program of the worker ends: exit code, one log line, last words."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType

from graft_api.errors import GraftError, Stopped
from graft_api.progress import Termination
from graft_api.vocabulary import Env
from graft_worker.report import last_words, log, termination
from graft_worker.report.secrets import redacted, secrets_of

from .lifeline import LAUNCHER, tie

logger = logging.getLogger(__name__)

Program = Callable[[Mapping[str, str]], int]


def guarded(load: Callable[[], Program], environ: Mapping[str, str]) -> int:
    """The exit code of the program that `load` imports; errors become last words and a log line.

    Until the program handles SIGTERM itself, the signal ends it as `Stopped`. While it is loaded
    the process has no other thread, so that it may fork.
    """
    log.configure(sys.stderr, secrets=secrets_of(environ), **_bound(environ))
    signal.signal(signal.SIGTERM, _stop)
    try:
        program = load()
        _tie(environ)
        log.adopt("torch")
        return program(_own(environ))
    except (Exception, KeyboardInterrupt) as error:
        return _ended(error, environ)


def _tie(environ: Mapping[str, str]) -> None:
    if LAUNCHER in environ:
        tie(int(environ[LAUNCHER]))
    elif Env.PARENT in environ:
        tie(int(environ[Env.PARENT]), ending=signal.SIGTERM)


def words_of(base: Path, process: int) -> Path:
    """Where a worker of that process id leaves its last words for its launcher."""
    return base.with_name(f"{base.name}.{process}")


def _ended(error: BaseException, environ: Mapping[str, str]) -> int:
    words = last_words.ending(error, rank=int(environ.get("RANK", "0")))
    if isinstance(error, Stopped):
        logger.info("%s", error)
    elif isinstance(error, GraftError):
        logger.error("%s", error)
    else:
        logger.error("%s", words.message.partition("\n")[0], exc_info=error)
    if place := _own(environ).get(Env.TERMINATION_FILE):
        termination.write(Path(place), _clean(words, secrets_of(environ)))
    return words.exit_code


def _clean(words: Termination, secrets: tuple[str, ...]) -> Termination:
    message, hint = (redacted(text, secrets) for text in (words.message, words.hint))
    return replace(words, message=message, hint=hint)


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, with last words of this process alone where it is one of several."""
    own = dict(environ)
    if LAUNCHER in own and (place := own.get(Env.TERMINATION_FILE)):
        own[Env.TERMINATION_FILE] = str(words_of(Path(place), os.getpid()))
    return own


def _bound(environ: Mapping[str, str]) -> dict[str, str | int]:
    names = {"job": Env.JOB_UID, "attempt": Env.ATTEMPT, "rank": "RANK"}
    return {key: environ[name] for key, name in names.items() if name in environ}


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped(
        "stopped by SIGTERM", hint="run the same job again: it goes on from what is saved"
    )

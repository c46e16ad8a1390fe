"""The command `graft`: finds the verb, runs it, and turns every error into one clear message."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from graft_api.errors import GraftError, Stopped
from graft_api.vocabulary import ExitCode

from . import arguments, screen
from .endings import EndedError, Ending

BAD = (ExitCode.CONFIG, ExitCode.DATA, ExitCode.STORE)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of the command, one of `Ending`."""
    try:
        code = _dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return Ending.BROKEN_PIPE
    except KeyboardInterrupt:
        screen.say("graft: interrupted")
        return Ending.INTERRUPTED
    except Exception as error:  # the last resort: a person sees a sentence, never a traceback
        if os.environ.get("GRAFT_DEBUG"):
            raise
        return _explain(error)
    return code


def _dispatch(argv: Sequence[str]) -> int:
    verb, rest = arguments.split(argv)
    if verb is None:
        return arguments.usage()
    return arguments.parse(verb, rest)


def _explain(error: Exception) -> int:
    if isinstance(error, GraftError):
        screen.error(error.message, hint=error.hint)
        return _code(error)
    screen.error(
        f"{type(error).__name__}: {error}",
        hint="this is not your fault; GRAFT_DEBUG=1 in front of the same command shows where",
    )
    return Ending.FAILED


def _code(error: GraftError) -> int:
    if isinstance(error, EndedError):
        return error.code
    if isinstance(error, Stopped):
        return Ending.INTERRUPTED
    return Ending.BAD_INPUT if error.exit_code in BAD else Ending.FAILED


def _abandon_stdout() -> None:
    """Whoever read our output has gone: nothing may be written to it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""How torchelastic's workers are born: from the nursery, or as programs where it is gone."""

from __future__ import annotations

import logging
from functools import partial
from subprocess import Popen
from typing import IO, Any, cast

from torch.distributed.elastic.multiprocessing import api
from torch.distributed.elastic.multiprocessing.subprocess_handler import SubprocessHandler

from .nursery import Nursery, Order

log = logging.getLogger(__name__)


def come_from(nursery: Nursery) -> None:
    """Workers that torchelastic starts from now on are forked in the nursery."""
    # torchelastic asks this name for every worker, and has no other way to be told.
    api.get_subprocess_handler = partial(_Birth, nursery)  # type: ignore[attr-defined]


class _Birth(SubprocessHandler):
    def __init__(self, nursery: Nursery, **told: Any) -> None:
        self._nursery = nursery
        super().__init__(**told)

    def _popen(self, args: tuple[str, ...], env: dict[str, str]) -> Popen[bytes]:
        order = Order(environ=env, stdout=_name(self._stdout), stderr=_name(self._stderr))
        try:
            return cast("Popen[bytes]", self._nursery.start(order))
        except (OSError, EOFError) as error:
            reason = str(error) or "it has ended"
            log.warning("the nursery is of no use, workers start as programs: %s", reason)
            return cast("Popen[bytes]", super()._popen(args, env))


def _name(file: IO[str] | None) -> str | None:
    return file.name if file else None

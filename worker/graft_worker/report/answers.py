"""What a worker answers over HTTP, whoever of its processes listens."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from pathlib import Path

from graft_api.progress import ProgressReport
from graft_api.vocabulary import CONTROL_HEADER

from . import files
from .exposition import CONTENT_TYPE, exposition
from .finite import finite
from .server import Address, Page, Server

PORT_FILE = "port.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The pages of one worker. `control_hash` is empty where nobody may steer it."""

    report: Callable[[], ProgressReport | None]
    ready: Callable[[], bool]
    ask: Callable[[], None]  # asks for a checkpoint
    control_hash: str = ""

    def serve(self, address: Address) -> Server:
        """A server of these pages. Raises ConfigError where the address cannot be had."""
        return Server(self.pages(), actions={"/checkpoint": self.checkpoint}, address=address)

    def pages(self) -> dict[str, Callable[[], Page]]:
        """What is read, by path."""
        return {
            "/metrics": lambda: self._of(exposition, CONTENT_TYPE),
            "/progress": lambda: self._of(
                lambda report: finite(report).to_json().encode(), "application/json"
            ),
            "/ready": self._ready,
            "/healthz": lambda: Page(body=b"ok\n"),
        }

    def checkpoint(self, headers: Message) -> Page:
        """Asks for a checkpoint at the next step that all processes agree on."""
        if not self.control_hash:
            return Page(body=b"not found\n", status=HTTPStatus.NOT_FOUND)
        token = headers.get(CONTROL_HEADER) or ""
        given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        if not hmac.compare_digest(given.encode(), self.control_hash.lower().encode()):
            return Page(body=b"the token is not this job's\n", status=HTTPStatus.FORBIDDEN)
        if not self.ready():
            return _NOT_READY
        self.ask()
        return Page(body=b"asked\n", status=HTTPStatus.ACCEPTED)

    def _ready(self) -> Page:
        return Page(body=b"ready\n") if self.ready() else _NOT_READY

    def _of(self, content: Callable[[ProgressReport], bytes], content_type: str) -> Page:
        report = self.report()
        if report is None:
            return Page(body=b"no report yet\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Page(body=content(report), content_type=content_type)


_NOT_READY = Page(body=b"no worker runs\n", status=HTTPStatus.SERVICE_UNAVAILABLE)


def announce(folder: Path, address: Address) -> None:
    """Whoever looks into the job's folder finds the port that was chosen."""
    place = {"host": address.host, "port": address.port}
    try:
        files.replace(folder / PORT_FILE, json.dumps(place))
    except OSError as error:
        logger.warning("%s: the port cannot be written: %s", folder, error.strerror)

"""What the operator asks model servers: whether one will never be ready, and how it answers."""

from __future__ import annotations

import json

import urllib3

from graft_api.vocabulary import ServePort
from graft_operator.observed import Answers
from graft_operator.policies import answers

SECONDS = 2.0


class Servers:
    """Speaks to both ports of servers' pods; usable from many threads."""

    def __init__(self, *, threads: int) -> None:
        self._pool = urllib3.PoolManager(num_pools=threads, retries=False, timeout=SECONDS)

    def broken(self, address: str) -> str:
        """Why the server at that address cannot serve its model, in its words; empty: it may yet.

        A server that does not answer, or still loads, says nothing against its model.
        """
        try:
            url = _url(address, ServePort.REQUESTS, "v2/health/ready")
            said = json.loads(self._pool.request("GET", url).data)
        except (urllib3.exceptions.HTTPError, ValueError, OSError):
            return ""
        unfit = isinstance(said, dict) and said.get("broken") is True
        return str(said.get("error") or "no reason given") if unfit else ""

    def answers(self, address: str) -> Answers | None:
        """What the server at that address has answered since it started; None: it does not say."""
        try:
            said = self._pool.request("GET", _url(address, ServePort.METRICS, "metrics"))
            return answers.read(said.data.decode()) if said.status == 200 else None
        except (urllib3.exceptions.HTTPError, ValueError, OSError):
            return None


def _url(address: str, port: ServePort, path: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{int(port)}/{path}"

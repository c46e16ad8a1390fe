"""What the operator asks model servers: whether one of them will never be ready."""

from __future__ import annotations

import json

import urllib3

from graft_api.vocabulary import ServePort

SECONDS = 2.0


class Servers:
    """Speaks to the request port of servers' pods; usable from many threads."""

    def __init__(self, *, threads: int) -> None:
        self._pool = urllib3.PoolManager(num_pools=threads, retries=False, timeout=SECONDS)

    def broken(self, address: str) -> str:
        """Why the server at that address cannot serve its model, in its words; empty: it may yet.

        A server that does not answer, or still loads, says nothing against its model.
        """
        host = f"[{address}]" if ":" in address else address
        try:
            url = f"http://{host}:{int(ServePort.REQUESTS)}/v2/health/ready"
            said = json.loads(self._pool.request("GET", url).data)
        except (urllib3.exceptions.HTTPError, ValueError, OSError):
            return ""
        unfit = isinstance(said, dict) and said.get("broken") is True
        return str(said.get("error") or "no reason given") if unfit else ""

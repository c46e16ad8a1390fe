"""What the operator asks worker pods: how far they are, and to save."""

from __future__ import annotations

import urllib3

from graft_api.progress import ProgressReport
from graft_api.vocabulary import CONTROL_HEADER, Port

SECONDS = 2.0


class SilentError(Exception):
    """A worker did not answer, or not in our words."""


class Workers:
    """Speaks to the metrics port of worker pods; usable from many threads."""

    def __init__(self, *, threads: int) -> None:
        # Certificates and proxies have no place here: pods are reached by address, in the clear.
        self._pool = urllib3.PoolManager(num_pools=threads, retries=False, timeout=SECONDS)

    def progress(self, address: str) -> ProgressReport:
        """The newest report of the worker at that address.

        Raises:
            SilentError: it does not answer, or says something else.
        """
        try:
            answer = self._pool.request("GET", _url(address, "progress"))
            if answer.status != 200:
                raise SilentError(f"{address} answers {answer.status}")
            return ProgressReport.from_json(answer.data.decode())
        except (urllib3.exceptions.HTTPError, ValueError, TypeError, OSError) as error:
            raise SilentError(f"{address}: {error}") from None

    def save(self, address: str, *, token: str) -> bool:
        """Whether the worker at that address takes the request to save a checkpoint."""
        try:
            answer = self._pool.request(
                "POST", _url(address, "checkpoint"), headers={CONTROL_HEADER: token}
            )
        except (urllib3.exceptions.HTTPError, OSError):
            return False
        return answer.status == 202


def _url(address: str, path: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{int(Port.METRICS)}/{path}"

"""What a kubelet serves of its containers: their logs; the API server fetches them from here."""

from __future__ import annotations

import secrets
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Kubelet:
    """A node's log server; lines are given as `time text`."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.node = f"node-{secrets.token_hex(4)}"
        self.port = int(server.server_address[1])
        self.logs: dict[str, list[str]] = {}
        self.ended: set[str] = set()
        self.asked: list[str] = []
        self.changed = threading.Condition()

    @classmethod
    @contextmanager
    def serving(cls, folder: Path, authority: Path) -> Iterator[Kubelet]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.socket = _tls(folder, authority).wrap_socket(server.socket, server_side=True)
        kubelet = cls(server)
        server.kubelet = kubelet  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield kubelet
        with kubelet.changed:
            kubelet.ended |= set(kubelet.logs)
            kubelet.changed.notify_all()
        server.shutdown()
        server.server_close()
        thread.join()

    def write(self, pod: str, *lines: str, over: bool = False) -> None:
        """Adds lines to the pod's log; with `over` its container has ended."""
        with self.changed:
            self.logs.setdefault(pod, []).extend(lines)
            if over:
                self.ended.add(pod)
            self.changed.notify_all()

    def lines(self, pod: str, *, follow: bool) -> Iterator[str]:
        """The lines so far; with `follow` those that come, until the container ends."""
        sent = 0
        while True:
            with self.changed:
                if follow and sent == len(self.logs.get(pod, ())) and pod not in self.ended:
                    self.changed.wait(timeout=30)
                new = self.logs.get(pod, [])[sent:]
                over = not follow or pod in self.ended
            sent += len(new)
            yield from new
            if over:
                return


class Handler(BaseHTTPRequestHandler):
    """GET /containerLogs/NAMESPACE/POD/CONTAINER."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kubelet: Kubelet = self.server.kubelet  # type: ignore[attr-defined]
        at = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(at.query).items()}
        pod = at.path.split("/")[3]
        kubelet.asked.append(self.path)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        lines = kubelet.lines(pod, follow=query.get("follow") == "true")
        if tail := query.get("tailLines"):
            lines = iter(list(lines)[-int(tail) :])
        for line in lines:
            self._chunk(f"{line}\n".encode())
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


def _tls(folder: Path, authority: Path) -> ssl.SSLContext:
    """A certificate of the cluster's authority, which the API server asks of every kubelet."""
    key, certificate = folder / "kubelet.key", folder / "kubelet.crt"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=kubelet", "-addext", "subjectAltName=IP:127.0.0.1"]
    signed = ["-CA", str(authority / "ca.crt"), "-CAkey", str(authority / "ca.key")]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made.split(), *names, *signed, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context

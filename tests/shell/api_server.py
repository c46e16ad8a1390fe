"""An API server in memory, behind real HTTP: what the operator's shell asks of one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from graft_operator.cluster.connection import Connection, connect
from graft_operator.cluster.requests import PATHS, Object, Ref, ref_of

PLURALS = {plural for _, plural in PATHS.values()}
ENDLESS = 10**6  # bytes of an answer that does not end


class ApiServer(ThreadingHTTPServer):
    """Objects by path. Selectors are not looked at: what is in it is the operator's.

    `page`: most objects in one answer. `lost`: so many patches more count, but are not answered.
    While `open` is not set, patches wait, and their answers come byte by byte without an end.
    """

    daemon_threads = True

    def __init__(self, *, page: int = 500) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.page = page
        self.lost = 0
        self.open = threading.Event()
        self.open.set()
        self.objects: dict[str, Object] = {}
        self.asked: list[str] = []  # verb and path without query, in the order of arrival
        self.lock = threading.Lock()
        self._version = 0

    def put(self, body: Mapping[str, Any]) -> Object:
        """The object as it is in the server from now on."""
        given = {"uid": f"uid-{body['metadata']['name']}", "creationTimestamp": CREATED}
        with self.lock:
            self._version += 1
            meta = given | body["metadata"] | {"resourceVersion": str(self._version)}
            made = {**body, "metadata": meta}
            self.objects[ref_of(made).path()] = made
        return made

    def get(self, ref: Ref) -> Object:
        """The object of that name; KeyError where there is none."""
        return self.objects[ref.path()]

    def remove(self, ref: Ref) -> None:
        """The object is gone."""
        del self.objects[ref.path()]

    def count(self, verb: str, ref: Ref) -> int:
        """How often that was asked."""
        return self.asked.count(f"{verb} {ref.path()}")

    def listed(self, collection: str) -> list[Object]:
        """The objects of a collection, of a namespace or of all."""
        folder, _, plural = collection.rpartition("/")
        with self.lock:
            places = [(path.rpartition("/")[0], each) for path, each in self.objects.items()]
        return [each for at, each in places if at == collection or _below(at, folder, plural)]


CREATED = "2026-01-01T12:00:00Z"


class Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:
        path, query = self._asked()
        if path in self.server.objects:
            self._say(200, self.server.objects[path])
        elif path.rpartition("/")[2] in PLURALS:
            self._say(200, self._page(path, query))
        else:
            self._say(404, {"message": f"{path} not found"})

    def do_POST(self) -> None:
        path, _ = self._asked()
        body = self._body()
        if f"{path}/{body['metadata']['name']}" in self.server.objects:
            self._say(409, {"message": "it exists"})
        else:
            self._say(201, self.server.put(body))

    def do_PATCH(self) -> None:
        path, _ = self._asked()
        patch = self._body()
        if not self.server.open.is_set():
            self._dribble()
            return
        found = self.server.objects.get(path.removesuffix("/status"))
        wanted = patch["metadata"].pop("resourceVersion", None)
        if found is None:
            self._say(404, {"message": f"{path} not found"})
        elif wanted not in (None, found["metadata"]["resourceVersion"]):
            self._say(409, {"message": "it was changed meanwhile"})
        else:
            made = self.server.put(_merged(found, patch))
            if self.server.lost:
                self.server.lost -= 1
            else:
                self._say(200, made)

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        split = urlsplit(self.path)
        self.server.asked.append(f"{self.command} {split.path}")
        return split.path, parse_qs(split.query)

    def _page(self, path: str, query: dict[str, list[str]]) -> Object:
        found = self.server.listed(path)
        begin = int(query.get("continue", ["0"])[0])
        end = begin + min(self.server.page, int(query.get("limit", ["500"])[0]))
        more = str(end) if end < len(found) else ""
        return {"metadata": {"continue": more}, "items": found[begin:end]}

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _say(self, code: int, body: object) -> None:
        data = json.dumps(body).encode()
        self._begin(code, len(data))
        self.wfile.write(data)

    def _begin(self, code: int, size: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def _dribble(self) -> None:
        self._begin(200, ENDLESS)
        try:
            while not self.server.open.wait(0.01):
                self.wfile.write(b" ")
        except OSError:
            """The other side waits no more."""

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what was asked."""


@contextmanager
def serving(*, page: int = 500) -> Iterator[ApiServer]:
    """The server, while the block runs."""
    with ApiServer(page=page) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            made.open.set()
            made.shutdown()
            thread.join()


@contextmanager
def connected(port: int, folder: Path) -> Iterator[Connection]:
    """A connection to the server at that port of this machine."""
    context = {"name": "here", "context": {"cluster": "here", "user": "me"}}
    file = folder / "kubeconfig"
    given = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [context],
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "me", "user": {}}],
    }
    file.write_text(json.dumps(given))
    connection = connect({"KUBECONFIG": str(file)}, threads=4, user_agent="test")
    try:
        yield connection
    finally:
        connection._client.rest_client.pool_manager.clear()


def _below(at: str, folder: str, plural: str) -> bool:
    return at.startswith(f"{folder}/namespaces/") and at.endswith(f"/{plural}")


def _merged(old: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    kept = dict(old) if isinstance(old, dict) else {}
    changed = {key: _merged(kept.get(key), value) for key, value in patch.items()}
    return {key: value for key, value in (kept | changed).items() if value is not None}

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from graft_api.errors import ConfigError
from graft_worker.report.server import Address, Page, Server


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(
        {"/healthz": lambda: Page(body=b"ok\n")},
        actions={"/ask": lambda headers: Page(body=headers["X-Name"].encode())},
        address=Address(),
        slow_seconds=0.1,
    )
    yield server
    server.close()


def connected(server: Server) -> socket.socket:
    return socket.create_connection((server.address.host, server.address.port), timeout=60)


def test_a_port_in_use_is_named_with_its_holder_and_the_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError) as raised:
            Server({}, address=Address(port=port))
    assert raised.value.message.startswith(
        f"GRAFT_METRICS_PORT={port}: the port is in use on 127.0.0.1, "
        f"held by process {os.getpid()} ("
    )
    assert raised.value.hint == (
        "stop it, or set GRAFT_METRICS_PORT to another port or to 0 for any free one"
    )


def test_an_address_that_this_machine_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError) as raised:
        Server({}, address=Address(host="192.0.2.1", port=0))
    assert raised.value.message == (
        "GRAFT_METRICS_PORT=0: cannot listen on 192.0.2.1: Cannot assign requested address"
    )


def test_the_port_is_free_again_after_closing() -> None:
    first = Server({}, address=Address())
    first.close()
    second = Server({}, address=first.address)
    assert second.address == first.address
    second.close()


def test_a_client_that_sends_nothing_is_cut_off(server: Server) -> None:
    with connected(server) as silent:
        assert silent.recv(1) == b""


def test_a_silent_client_does_not_hold_up_another(server: Server) -> None:
    with connected(server), connected(server) as other:
        other.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        answer = other.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.splitlines()[0] == b"HTTP/1.0 200 OK"
    assert body == b"ok\n"


@pytest.mark.parametrize(
    ("request_line", "answer"),
    [
        pytest.param(b"DELETE /healthz", b"501 Unsupported method ('DELETE')", id="unknown"),
        pytest.param(b"POST /healthz", b"405 Method Not Allowed", id="a page is only read"),
        pytest.param(b"POST /nothing", b"404 Not Found", id="no such action"),
        pytest.param(b"GET /ask", b"404 Not Found", id="an action is no page"),
    ],
)
def test_methods_that_do_not_fit_are_refused(
    server: Server, request_line: bytes, answer: bytes
) -> None:
    with connected(server) as client:
        client.sendall(request_line + b" HTTP/1.0\r\n\r\n")
        assert client.makefile("rb").readline() == b"HTTP/1.0 " + answer + b"\r\n"


def test_an_action_takes_the_headers_and_drops_the_body(server: Server) -> None:
    with connected(server) as client:
        client.sendall(b"POST /ask HTTP/1.0\r\nx-name: reader\r\nContent-Length: 4\r\n\r\nbody")
        assert client.makefile("rb").read().endswith(b"\r\n\r\nreader")

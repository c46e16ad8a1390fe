"""Requests that are not answered: with which code, and why."""

from __future__ import annotations

from http import HTTPStatus


class Refusal(Exception):  # noqa: N818  (an answer, not a fault of ours)
    """A request is refused with a status; `param` is the path of the field at fault."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = HTTPStatus(status)
        self.message = message
        self.code = code or self.status.name.lower()
        self.param = param
        self.retry_after = retry_after


class ClientGone(Exception):  # noqa: N818
    """Nobody waits for the answer any more."""


def malformed(message: str) -> Refusal:
    """What was sent cannot be read at all."""
    return Refusal(400, message, code="malformed")


def wrong(param: str, message: str) -> Refusal:
    """What was sent can be read, but a field of it cannot be used."""
    return Refusal(422, f"{param}: {message}", code="invalid_value", param=param)


def busy(message: str, *, code: str, seconds: int = 1) -> Refusal:
    """Not now; the client may ask again so many seconds later."""
    return Refusal(503, message, code=code, retry_after=seconds)

"""What can go wrong between a program and an API server; imports no client."""

from __future__ import annotations

from graft_api.errors import GraftError

from .requests import Answer, Request


class UnreachableError(GraftError):
    """The API server does not answer."""

    def __init__(self, server: str, request: Request, said: str) -> None:
        super().__init__(
            f"API server {server}: {request.describe()}: {said}",
            hint="see that the cluster runs and that KUBECONFIG names it",
        )


class RefusedError(GraftError):
    """The API server refused a request; `answer` has its words."""

    def __init__(self, request: Request, answer: Answer) -> None:
        super().__init__(f"{request.describe()}: {answer.message()}")
        self.answer = answer


class NotLeadingError(GraftError):
    """A write was held back, because another replica may lead."""

    def __init__(self, request: Request) -> None:
        super().__init__(
            f"{request.describe()}: not sent, the Lease was not renewed in time",
            hint="see why the API server does not answer; another replica may lead by now",
        )

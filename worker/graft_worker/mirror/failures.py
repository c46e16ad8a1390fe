"""What a person reads when the bucket refuses, is not there or does not answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from graft_api.errors import StoreError

KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
ENDPOINT = "AWS_ENDPOINT_URL"
DENIED = (401, 403)
UNKNOWN = ("InvalidAccessKeyId", "XAdminUserNotFound")  # of a key; not every server says 403
# Libraries whose errors are no OSError; looked up only where they are loaded.
FOREIGN = (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError"))


class Absent(StoreError):  # noqa: N818  (often it is no error at all)
    """The object is not there."""


class Damaged(StoreError):  # noqa: N818  (as above)
    """The object is not as it was written."""


@contextmanager
def told(address: str) -> Iterator[None]:
    """Turns errors of the libraries into StoreErrors that name the object and what to do.

    Raises:
        Absent: there is no such object.
        Damaged: its content is not what its checksum says.
        StoreError: whatever else keeps it from being read or written.
    """
    try:
        yield
    except ImportError as error:
        hint = "pip install 'graft-operator[worker]' brings s3fs"
        raise StoreError(f"{address}: needs a library: {error}", hint=hint) from None
    except OSError as error:
        raise _of_a_file(address, error) if error.filename else _answered(address, error) from None
    except _foreign() as error:
        raise _failed(address, error) from None


def _foreign() -> tuple[type[Exception], ...]:
    loaded = [(sys.modules[name], kind) for name, kind in FOREIGN if name in sys.modules]
    # ValueError: an endpoint that is no URL.
    return (ValueError, *(getattr(module, kind) for module, kind in loaded))


def _answered(address: str, error: OSError) -> StoreError:
    """What the server's own answer means, or that there was none."""
    code, status = _answer(error)
    if code == "NoSuchBucket":
        return _no_bucket(address)
    if isinstance(error, FileNotFoundError):
        return Absent(
            f"{address}: not found",
            hint="somebody removed what the job kept there: run it again under another name",
        )
    if isinstance(error, PermissionError) or status in DENIED or code in UNKNOWN:
        return _refused(address, error)
    if status is None:
        return _failed(address, error)
    return StoreError(
        f"{address}: {_endpoint()} answered: {error}",
        hint="mend what it complains of; the job goes on from its newest checkpoint",
    )


def _no_bucket(address: str) -> StoreError:
    bucket = address.removeprefix("s3://").partition("/")[0]
    return StoreError(
        f"{address}: there is no bucket {bucket} at {_endpoint()}",
        hint=f"make the bucket, or correct the store's address or {ENDPOINT}",
    )


def _refused(address: str, error: OSError) -> StoreError:
    return StoreError(
        f"{address}: refused by {_endpoint()}: {error}",
        hint=f"correct {KEYS} in the store's secret, or let them list, read, write and delete"
        " below the store's prefix",
    )


def _failed(address: str, error: Exception) -> StoreError:
    if type(error).__name__ == "FlexibleChecksumError":
        return Damaged(
            f"{address}: damaged: {error}",
            hint="remove it; what cannot be made anew is taken from what was saved before",
        )
    if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
        return StoreError(
            f"{address}: no credentials: {error}", hint=f"give {KEYS} in the store's secret"
        )
    return StoreError(
        f"{address}: {_endpoint()} does not answer: {str(error) or type(error).__name__}",
        hint=f"see that the pods reach it, or correct {ENDPOINT} in the store's secret",
    )


def _of_a_file(address: str, error: OSError) -> StoreError:
    return StoreError(
        f"{error.filename}: {error.strerror}, while {address} was copied",
        hint="the pod's folder of the store needs room for shards, model and two checkpoints",
    )


def _answer(error: OSError) -> tuple[str, int | None]:
    """The server's code and HTTP status."""
    response = getattr(error.__cause__, "response", None) or {}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return str(response.get("Error", {}).get("Code", "")), status


def _endpoint() -> str:
    return os.environ.get(ENDPOINT) or "Amazon S3"

"""Files behind https:// and s3://, read by fsspec, whose errors are told in our words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from graft_api.errors import DataError

_SCHEMES = ("https", "http", "s3", "hf")
_REMEDY = {
    "s3": "check the bucket, the key and the credentials "
    "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL)",
    "hf": "install huggingface_hub, and check the name and HF_TOKEN",
}
# Libraries whose errors are no OSError; looked up only where they are loaded.
_FOREIGN = (("aiohttp", "ClientError"), ("botocore.exceptions", "BotoCoreError"))


def is_remote(uri: str) -> bool:
    """Whether the URI is read over a network."""
    return uri.partition("://")[0] in _SCHEMES and "://" in uri


def expand(uri: str) -> list[tuple[str, int]]:
    """URIs and sizes in bytes of the files that a remote URI or glob names; -1: size not told.

    Raises:
        DataError: nothing there, no permission, no connection.
    """
    with _told(uri):
        import fsspec

        fs, path = fsspec.core.url_to_fs(uri)
        paths = sorted(fs.glob(path)) if any(c in path for c in "*[") else [path]
        if not paths:
            raise DataError(f"{uri}: no file matches", hint=_remedy(uri))
        return [(fs.unstrip_protocol(found), _size(fs.info(found))) for found in paths]
    raise AssertionError("unreachable")


def open_file(uri: str) -> BinaryIO:
    """The remote file as a seekable stream of bytes."""
    with _told(uri):
        import fsspec

        fs, path = fsspec.core.url_to_fs(uri)
        return cast("BinaryIO", fs.open(path, "rb"))
    raise AssertionError("unreachable")


def _size(info: dict[str, object]) -> int:
    size = info.get("size")
    return size if isinstance(size, int) else -1


@contextmanager
def _told(uri: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        hint = "pip install 'graft-operator[worker]' brings the readers"
        raise DataError(f"{uri}: reading it needs a library: {error}", hint=hint) from None
    except FileNotFoundError:
        raise DataError(f"{uri}: not found", hint=_remedy(uri)) from None
    except _foreign() as error:
        reason = str(error) or type(error).__name__
        raise DataError(f"{uri}: cannot be read: {reason}", hint=_remedy(uri)) from None


def _foreign() -> tuple[type[Exception], ...]:
    loaded = [(sys.modules[name], kind) for name, kind in _FOREIGN if name in sys.modules]
    return (OSError, ValueError, *(getattr(module, kind) for module, kind in loaded))


def _remedy(uri: str) -> str:
    return _REMEDY.get(uri.partition("://")[0], "check the address and the network")

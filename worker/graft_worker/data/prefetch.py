"""Work done one step ahead: an iterator that runs in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    """The iterator is exhausted, or raised `error`."""

    error: BaseException | None


class Prefetcher(Generic[T]):
    """The items of an iterator, made in one background thread at most `depth` ahead of the reader.

    An error of the iterator is raised in the reader, after the items before it. Use as a context
    manager, or call `close`: both end the thread even where items are left.
    """

    def __init__(self, items: Iterator[T], *, depth: int = 2) -> None:
        self._items = items
        self._room = threading.Semaphore(depth)
        self._made: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._closed = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._ended or self._closed:
            raise StopIteration
        item = self._made.get()
        if isinstance(item, _End):
            self._ended = True
            if item.error is not None:
                raise item.error
            raise StopIteration
        self._room.release()
        return item

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the thread after the item it is making; nothing more comes."""
        self._closed = True
        self._room.release()
        self._thread.join()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            while self._make_one():
                pass
        except BaseException as raised:
            error = raised
        self._made.put(_End(error))

    def _make_one(self) -> bool:
        self._room.acquire()
        if self._closed:
            return False
        try:
            self._made.put(next(self._items))
        except StopIteration:
            return False
        return True

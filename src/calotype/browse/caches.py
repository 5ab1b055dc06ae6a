"""Values that are computed once: one thread computes, others wait. The bytes that are kept are limited."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound="Sized")


class Sized(Protocol):
    """A value that knows its size in memory."""

    @property
    def nbytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Text:
    """A text that can be kept."""

    text: str

    @property
    def nbytes(self) -> int:
        return len(self.text)


class ByteCache(Generic[K, V]):
    """The values used last, up to a number of bytes. Thread-safe.

    A value that is being computed is computed once: others that ask for it wait, and try for themselves if it fails. A
    value larger than the limit is handed out and not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._values: OrderedDict[K, V] = OrderedDict()
        self._running: dict[K, Future[V]] = {}
        self._total = 0
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of the values kept now."""
        return self._total

    def get(self, key: K, create: Callable[[], V]) -> V:
        """The value of a key, computed by this thread unless it is known or another thread computes it."""
        with self._lock:
            value = self._known(key)
            if value is not None:
                return value
            running = self._running.get(key)
            if running is None:
                mine = self._running[key] = Future[V]()
        if running is not None:
            with suppress(CancelledError):  # the other thread failed: this one tries for itself
                return running.result()
            return self.get(key, create)
        try:
            value = create()
        finally:
            self._finish(key, value)
            if value is None:
                mine.cancel()
        mine.set_result(value)
        return value

    def peek(self, key: K) -> V | None:
        """The value of a key if it is known now."""
        with self._lock:
            return self._known(key)

    def put(self, key: K, value: V) -> None:
        """Keep a value that was computed elsewhere."""
        self._finish(key, value)

    def items(self) -> Iterator[tuple[K, V]]:
        """The values kept now, those used last first."""
        with self._lock:
            return reversed(list(self._values.items()))

    def _known(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def _finish(self, key: K, value: V | None) -> None:
        with self._lock:
            self._running.pop(key, None)
            if value is None or value.nbytes > self.max_bytes:
                return
            old = self._values.pop(key, None)
            self._total += value.nbytes - (old.nbytes if old is not None else 0)
            self._values[key] = value
            while self._total > self.max_bytes:
                _, dropped = self._values.popitem(last=False)
                self._total -= dropped.nbytes


class Background:
    """Runs functions in a few threads, and each of them only once at a time."""

    def __init__(self, n_threads: int) -> None:
        self._n_threads = n_threads
        self._pool: ThreadPoolExecutor | None = None
        self._running: dict[Hashable, Future[Any]] = {}
        self._lock = Lock()

    def run(self, key: Hashable, call: Callable[[], Any]) -> Future[Any]:
        """The future of a call; that of the running call if this key is running already."""
        with self._lock:
            future = self._running.get(key)
            if future is not None:
                return future
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._n_threads, thread_name_prefix="browse")
            future = self._running[key] = self._pool.submit(call)
        future.add_done_callback(lambda _: self._forget(key))
        return future

    def _forget(self, key: Hashable) -> None:
        with self._lock:
            self._running.pop(key, None)

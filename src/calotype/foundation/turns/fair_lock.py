"""A lock for the threads of one process that is handed on in the order of asking."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

_LOOK_S = 0.5


class FairLock:
    """First come, first served. `threading.Lock` gives the lock to whoever runs next, so a thread may wait for ever."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._waiting: deque[Lock] = deque()
        self._held = False
        self._working_since: float | None = None

    def acquire(self, *, timeout_s: float, give_up_after_s: float | None = None) -> bool:
        """Wait for the lock. Returns whether it was obtained.

        Args:
            timeout_s: The longest wait.
            give_up_after_s: Stop waiting when one holder has been at work for this long.
        """
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            ticket = Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        deadline = time.monotonic() + timeout_s
        while not ticket.acquire(timeout=max(0.0, min(_LOOK_S, deadline - time.monotonic()))):
            if time.monotonic() >= deadline or self._is_held_longer_than(give_up_after_s):
                return not self._withdraw(ticket)
        return True

    def begin_work(self) -> None:
        """Say that the holder waits for nothing else any more."""
        self._working_since = time.monotonic()

    def release(self, *, if_free: Callable[[], None] = lambda: None) -> None:
        """Hand the lock to the thread that has waited longest; without one, call `if_free` and unlock."""
        with self._mutex:
            self._working_since = None
            if self._waiting:
                self._waiting.popleft().release()
                return
            try:
                if_free()
            finally:
                self._held = False

    def _is_held_longer_than(self, seconds: float | None) -> bool:
        since = self._working_since
        return seconds is not None and since is not None and time.monotonic() - since > seconds

    def _withdraw(self, ticket: Lock) -> bool:
        """Leave the queue. False if the lock was handed over at this moment."""
        with self._mutex:
            if ticket not in self._waiting:
                return False
            self._waiting.remove(ticket)
            return True

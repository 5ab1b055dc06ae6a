"""A queue of the processes of one machine: a ticket file for each that waits, and a lock file for whose turn it is.

The operating system drops the locks of a process that dies, so nothing has to be cleaned up by hand. A place where
files cannot be locked or written has no queue: `enter` then says so at once.
"""

from __future__ import annotations

import importlib
import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

try:
    _FCNTL: Any = importlib.import_module("fcntl")
except ImportError:  # Windows
    _FCNTL = None

_SKIP_AFTER_S = 1.0
"""A ticket that leaves the lock free for this long belongs to a process that is stopped or dead: others pass it."""
_LOOK_S = 0.05
_POLL_S = (0.001, 0.004)
_TICKET = "ticket-"


class FileQueue:
    """A queue in a folder. Waiting is a courtesy between writers; correctness never depends on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def enter(self, *, timeout_s: float, give_up_after_s: float | None = None) -> Turn | None:
        """Wait for the turn of this process. None if it did not come, or if there can be no queue here.

        Args:
            timeout_s: The longest wait.
            give_up_after_s: Stop waiting when another process has had its turn for this long.
        """
        if _FCNTL is None:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:
            return None
        turn = None
        try:
            turn = self._wait(lock, timeout_s, give_up_after_s)
        except OSError:
            return None
        finally:
            if turn is None:
                os.close(lock)
        return turn

    def _wait(self, lock: int, timeout_s: float, give_up_after_s: float | None) -> Turn | None:
        if not self._tickets() and _try_lock(lock):
            return Turn(lock)
        began = time.monotonic()
        name, ticket = self._take_ticket()
        try:
            ahead, since, looked = "", began, began
            while (now := time.monotonic()) - began < timeout_s:
                first = min(self._tickets(), default=name)
                if first != ahead:
                    ahead, since = first, now
                self._drop_dead(first, name, waited_s=now - since)
                if first < name and now - looked > _LOOK_S:
                    looked = now
                    if not self._is_free(lock):
                        since = now  # the first one waits for the holder, as it should
                if (first >= name or now - since > _SKIP_AFTER_S) and _try_lock(lock):
                    return Turn(lock)
                if give_up_after_s is not None and _age_s(lock) > give_up_after_s and not self._is_free(lock):
                    return None
                time.sleep(random.uniform(*_POLL_S))
            return None
        finally:
            (self._folder / name).unlink(missing_ok=True)
            os.close(ticket)

    def _is_free(self, lock: int) -> bool:
        if not _try_lock(lock):
            return False
        _FCNTL.flock(lock, _FCNTL.LOCK_UN)
        return True

    def _tickets(self) -> list[str]:
        return [name for name in os.listdir(self._folder) if name.startswith(_TICKET)]

    def _take_ticket(self) -> tuple[str, int]:
        """A ticket with a lock of ours on it, by which others see that we live."""
        name = f"{_TICKET}{time.time_ns():020d}-{os.getpid()}-{random.getrandbits(32):08x}"
        new = self._folder / f"new-{name}"
        ticket = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            _try_lock(ticket)
            new.rename(self._folder / name)
        except OSError:
            os.close(ticket)
            raise
        return name, ticket

    def _drop_dead(self, first: str, own: str, *, waited_s: float) -> None:
        """Remove the ticket of a process that died while it waited."""
        if first == own or waited_s < _SKIP_AFTER_S:
            return
        with suppress(OSError):
            handle = os.open(self._folder / first, os.O_RDWR)
            try:
                if _try_lock(handle):
                    (self._folder / first).unlink()
            finally:
                os.close(handle)


class Turn:
    """The turn of this process; `end` passes it on."""

    def __init__(self, lock: int) -> None:
        self._lock = lock
        with suppress(OSError):
            os.utime(lock)  # others see since when

    def end(self) -> None:
        """Let the next one in."""
        os.close(self._lock)


def _try_lock(handle: int) -> bool:
    try:
        _FCNTL.flock(handle, _FCNTL.LOCK_EX | _FCNTL.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _age_s(handle: int) -> float:
    return time.time() - os.fstat(handle).st_mtime

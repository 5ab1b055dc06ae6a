"""Turns of writers, by what they write to: the threads of a process first, then the processes.

A turn is a courtesy: it keeps writers from working on a state that another one is about to replace, and makes their
waits fair. What is written is still checked against what was read. So a writer that does not get its turn in time goes
on without it, and one whose turn takes long loses nothing but the courtesy.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from calotype.foundation.turns.database_queue import DatabaseQueue, DatabaseTurn
from calotype.foundation.turns.fair_lock import FairLock
from calotype.foundation.turns.file_queue import FileQueue, Turn

_SLOTS = 64
"""Names share this many queues, so that neither folders nor locks pile up; sharing one costs only time."""
_IN_A_ROW = 4
_IN_A_ROW_S = 1.5
"""A process serves some of its threads before it passes its turn on: what they need is open already."""
PATIENCE_S = 30.0
LONG_TURN_S = 8.0
"""Nobody waits for a holder that has had its turn for longer, such as a large import."""


@dataclass
class _Line:
    """The threads of this process at one name, and the turn of the process while it has one."""

    lock: FairLock = field(default_factory=FairLock)
    turn: Turn | DatabaseTurn | None = None
    n_served: int = 0
    since: float = 0.0

    def begin(self, turn: Turn | DatabaseTurn | None) -> None:
        """Begin the turn of the process; None if it has to do without."""
        self.turn, self.n_served, self.since = turn, 0, time.monotonic()

    @property
    def has_served_enough(self) -> bool:
        """Whether it is the turn of another process."""
        return self.n_served >= _IN_A_ROW or time.monotonic() - self.since > _IN_A_ROW_S

    def pass_on(self) -> None:
        """End the turn of the process."""
        turn, self.turn = self.turn, None
        if turn is not None:
            turn.end()


class Turns:
    """The turns of one workspace, as one process sees them. Thread-safe.

    A name is a kind, a slash and what it is, such as `branch/shop@main`. A thread takes one turn of a kind at a time.
    """

    def __init__(self, place: sa.Engine | Path | None) -> None:
        """
        Args:
            place: Where processes queue: a database server, a folder, or None for the threads of this process alone.
        """
        self._place = place
        self._lines: dict[str, _Line] = {}
        self._mutex = Lock()

    @contextmanager
    def taking(
        self,
        name: str,
        *,
        patience_s: float = PATIENCE_S,
        long_turn_s: float | None = LONG_TURN_S,
        processes: bool = True,
    ) -> Iterator[bool]:
        """Wait for the turn at `name` and hold it in the block. Yields whether this process's threads are kept out.

        Args:
            patience_s: The longest wait at each of the two queues.
            long_turn_s: Go on without the turn when somebody has had it for this long; None to wait for it.
            processes: Queue with other processes too, not only with the threads of this one.
        """
        digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        name = f"{name.partition('/')[0]}-{digest % _SLOTS:02d}"
        with self._mutex:
            line = self._lines.setdefault(name, _Line())
        if not line.lock.acquire(timeout_s=patience_s, give_up_after_s=long_turn_s):
            yield False
            return
        try:
            queue = self._queue(name) if processes and line.turn is None else None
            if queue is not None:
                line.begin(queue.enter(timeout_s=patience_s, give_up_after_s=long_turn_s))
            line.lock.begin_work()
            yield True
        finally:
            line.n_served += 1
            if line.has_served_enough:
                line.pass_on()
            line.lock.release(if_free=line.pass_on)

    def _queue(self, name: str) -> FileQueue | DatabaseQueue | None:
        if isinstance(self._place, Path):
            return FileQueue(self._place / name)
        return None if self._place is None else DatabaseQueue(self._place, name)

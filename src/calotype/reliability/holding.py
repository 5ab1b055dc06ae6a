"""A hold: while a workspace is copied, sweeps remove nothing of it."""

from __future__ import annotations

from calotype.foundation.clock import now_us
from calotype.reliability import repository
from calotype.store import Store

_EVERY_US = 60 * 1_000_000


class Hold:
    """One copy's hold on a workspace. One that a kill leaves behind is void after an hour."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._told_us = 0
        self._resting = False

    def tell(self) -> None:
        """Say that the copy is still being made; cheap, to be called often."""
        now = now_us()
        if not self._resting and now - self._told_us > _EVERY_US:
            with self._store.catalog.bookkeeping() as conn:
                repository.unmark(conn, repository.HOLD, [self._name])
                repository.mark(conn, repository.HOLD, [self._name], now)
            self._told_us = now

    def rest(self) -> None:
        """Tell no more: from here on the catalog's write lock itself keeps sweeps away."""
        self._resting = True

    def end(self) -> None:
        """Let sweeps go on."""
        with self._store.catalog.bookkeeping() as conn:
            repository.unmark(conn, repository.HOLD, [self._name])

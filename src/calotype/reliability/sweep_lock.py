"""A lock that keeps sweeps from removing data while a workspace is copied."""

from __future__ import annotations

from calotype.foundation.clock import now_us
from calotype.reliability import repository
from calotype.store import Store

_RENEW_US = 60 * 1_000_000


class SweepLock:
    """The lock of one copy. It expires an hour after the last renewal, in case the process is killed."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._renewed_us = 0
        self._stopped = False

    def renew(self) -> None:
        """Renew the lock; cheap enough to call often."""
        current_us = now_us()
        if not self._stopped and current_us - self._renewed_us > _RENEW_US:
            with self._store.catalog.bookkeeping() as conn:
                repository.unmark(conn, repository.HOLD, [self._name])
                repository.mark(conn, repository.HOLD, [self._name], current_us)
            self._renewed_us = current_us

    def stop_renewing(self) -> None:
        """Stop renewing: from now on the catalog's write lock keeps sweeps out."""
        self._stopped = True

    def release(self) -> None:
        """Allow sweeps again."""
        with self._store.catalog.bookkeeping() as conn:
            repository.unmark(conn, repository.HOLD, [self._name])

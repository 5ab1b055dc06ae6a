"""The states of a run's findings, kept in memory and brought up to date from the events since."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from calotype.findings import repository
from calotype.findings.worklist import rows
from calotype.findings.worklist.rows import Decided
from calotype.store import Store
from calotype.store.tables.tables import Tables

_MAX_RUNS = 8


class KnownStates:
    """What became of the findings of the runs that were read last. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[int, dict[str, Decided]]] = OrderedDict()
        self._lock = Lock()

    def of(self, conn: sa.Connection, dataset_id: str, run_id: str) -> tuple[int, dict[str, Decided]]:
        """The newest event of a dataset, and key -> what became of it until then; nobody may change the dict."""
        with self._lock:
            known = self._known.get((dataset_id, run_id))
        event = repository.last_event(conn, dataset_id)
        if known is not None and known[0] == event:
            return known
        if known is None or known[0] > event:
            fresh = rows.decided(conn, dataset_id, run_id)
        else:
            changed = rows.changed_since(conn, dataset_id, known[0])
            gone = set(changed)
            fresh = {key: value for key, value in known[1].items() if key not in gone}
            fresh |= rows.decided(conn, dataset_id, run_id, changed)
        with self._lock:
            self._known[dataset_id, run_id] = event, fresh
            self._known.move_to_end((dataset_id, run_id))
            while len(self._known) > _MAX_RUNS:
                self._known.popitem(last=False)
        return event, fresh


_KNOWN: WeakKeyDictionary[Tables, KnownStates] = WeakKeyDictionary()


def states_of(
    store: Store, conn: sa.Connection, dataset_id: str, run_id: str
) -> tuple[int, dict[str, Decided]]:
    """The newest event of a dataset, and what became of the findings of a run that are no longer open."""
    return _KNOWN.setdefault(store.tables, KnownStates()).of(conn, dataset_id, run_id)

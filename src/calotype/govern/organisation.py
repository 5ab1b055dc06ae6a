"""What the decider needs to know of the catalog, at each decision and for little: the model of the organisation, and
what kind of data each dataset holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from calotype.contracts.classification import Classification, all_classifications
from calotype.govern import repository
from calotype.store import Store

T = TypeVar("T")
MEMO_S = 1.0
"""After this time a change by another process is seen; one by this process is seen at once."""


class _Remembered(Generic[T]):
    """A value of each catalog, read again when it is old."""

    def __init__(self, read: Callable[[sa.Connection], T]) -> None:
        self._read = read
        self._known: WeakKeyDictionary[Any, tuple[T, float]] = WeakKeyDictionary()

    def of(self, store: Store) -> Callable[[], T]:
        """A function that returns the value as it is now."""
        catalog = store.catalog

        def current() -> T:
            now = time.monotonic()
            known = self._known.get(catalog)
            if known is not None and now - known[1] < MEMO_S:
                return known[0]
            with catalog.read() as conn:
                value = self._read(conn)
            self._known[catalog] = (value, now)
            return value

        return current

    def forget(self, store: Store) -> None:
        """Read the value again at the next decision."""
        self._known.pop(store.catalog, None)


_MODELS = _Remembered(repository.organisation_model)
_CLASSIFIED: _Remembered[Mapping[str, Classification]] = _Remembered(all_classifications)


def model_of(store: Store) -> Callable[[], str]:
    """A function that returns the model of the organisation as it is now."""
    return _MODELS.of(store)


def forget_model(store: Store) -> None:
    """Read the model again at the next decision."""
    _MODELS.forget(store)


def classified_in(store: Store) -> Callable[[], Mapping[str, Classification]]:
    """A function that returns the classified datasets of a workspace as they are now, by name."""
    return _CLASSIFIED.of(store)


def forget_classified(store: Store) -> None:
    """Read the classifications again at the next decision."""
    _CLASSIFIED.forget(store)

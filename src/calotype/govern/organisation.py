"""The model of the organisation, one setting in the catalog, as the decider needs it: at each decision, for little."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from calotype.govern import repository
from calotype.store import Store

MEMO_S = 1.0
"""After this time a change by another process is seen; one by this process is seen at once."""
_known: WeakKeyDictionary[Any, tuple[str, float]] = WeakKeyDictionary()
"""Catalog -> its model, and when that was read."""


def model_of(store: Store) -> Callable[[], str]:
    """A function that returns the model of the organisation as it is now."""
    catalog = store.catalog

    def current() -> str:
        now = time.monotonic()
        model, read_at = _known.get(catalog, ("", -MEMO_S))
        if not model or now - read_at >= MEMO_S:
            with catalog.read() as conn:
                model = repository.organisation_model(conn)
            _known[catalog] = (model, now)
        return model

    return current


def forget_model(store: Store) -> None:
    """Read the model again at the next decision."""
    _known.pop(store.catalog, None)

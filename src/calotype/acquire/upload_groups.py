"""Uploads that arrive together are written together: while one waits for its turn, later ones join its edit.

An edit costs about the same for one image as for a hundred. Without this, many clients that upload one image each would
wait for as many edits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from calotype.foundation.errors import CalotypeError, Conflict, External
from calotype.store import Store

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_MOST = 256


@dataclass
class _Group(Generic[_Item, _Result]):
    """Items of one edit, and its outcome."""

    items: list[_Item] = field(default_factory=list)
    results: list[_Result] | None = None
    failure: CalotypeError | None = None
    done: Event = field(default_factory=Event)


class Groups(Generic[_Item, _Result]):
    """Groups of items by key. Thread-safe."""

    def __init__(self) -> None:
        self._open: dict[object, _Group[_Item, _Result]] = {}
        self._lock = Lock()

    def write(
        self, key: object, item: _Item, write: Callable[[Callable[[], list[_Item]]], list[_Result]]
    ) -> _Result:
        """Write an item, together with the items of other threads under the same key. Returns its result.

        Args:
            write: Writes the items that its argument returns, and returns a result for each. Its argument ends the
                group when it is first called, so the later that is, the more items have joined.
        Raises: what `write` raises. If an item is refused, the items of the group are written one by one.
        """
        group, place, leads = self._join(key, item)
        if leads:
            try:
                group.results = write(lambda: self._end(key, group))
            except CalotypeError as error:
                group.failure = error
                if not _is_by_item(error) or len(group.items) == 1:
                    raise
            finally:
                self._end(key, group)
                group.done.set()
        else:
            group.done.wait()
        if group.results is not None:
            return group.results[place]
        if group.failure is not None and not _is_by_item(group.failure):
            raise group.failure
        (result,) = write(lambda: [item])
        return result

    def _join(self, key: object, item: _Item) -> tuple[_Group[_Item, _Result], int, bool]:
        with self._lock:
            group = self._open.get(key)
            leads = group is None or len(group.items) >= _MOST
            if group is None or leads:
                group = self._open[key] = _Group()
            group.items.append(item)
            return group, len(group.items) - 1, leads

    def _end(self, key: object, group: _Group[_Item, _Result]) -> list[_Item]:
        with self._lock:
            if self._open.get(key) is group:
                del self._open[key]
            return group.items


def _is_by_item(error: CalotypeError) -> bool:
    """Whether an error may be about one of the items, and not about the place that they are written to."""
    return not isinstance(error, Conflict | External)


_GROUPS: WeakKeyDictionary[object, Groups[object, object]] = WeakKeyDictionary()
_GROUPS_LOCK = Lock()


def groups_of(store: Store) -> Groups[object, object]:
    """The groups of one open workspace."""
    with _GROUPS_LOCK:
        return _GROUPS.setdefault(store.catalog, Groups())

"""A state of a dataset whose rows are on a server: the methods of `Snapshot`, each one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import pyarrow as pa

from calotype.api.remote.media import RemoteMedia
from calotype.browse import states
from calotype.datasets import rows
from calotype.datasets.commits import DatasetInfo
from calotype.datasets.model import DEFAULT_LABEL_SET, Sample
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.actor import Actor
from calotype.foundation.verbs.values import Hooks, from_plain

T = TypeVar("T")
_TOGETHER = 20_000
"""Samples of one call when they are read one after the other."""


class RemoteSnapshot(Snapshot):
    """One state of a dataset of a remote workspace. A working state that changes meanwhile raises `StateMoved`."""

    _store: Any
    media: RemoteMedia  # type: ignore[assignment]

    @classmethod
    def of(cls, value: Mapping[str, Any], store: Any) -> RemoteSnapshot:
        """The state that a server described."""
        state = cls(
            store,
            dataset=from_plain(DatasetInfo, value["dataset"], Hooks(), "dataset"),
            ref=value["ref"],
            commit_id=value["commit_id"],
            pins=value["pins"],
            documents=value["documents"],
            bodies=value["bodies"],
        )
        state.media = store.media_of(state)
        return state

    def count(
        self, where: Where = None, *, label_set: str | None = None, annotations: bool = True
    ) -> dict[str, int]:
        """See `Snapshot.count`."""
        return self._ask(states.count, where, label_set=label_set, annotations=annotations)

    def by_class(self, where: Where = None, *, label_set: str = DEFAULT_LABEL_SET) -> dict[str, int]:
        """See `Snapshot.by_class`."""
        return self._ask(states.by_class, where, label_set=label_set)

    def ids(self, where: Where = None, *, label_set: str = DEFAULT_LABEL_SET) -> list[str]:
        """See `Snapshot.ids`."""
        return self._ask(states.ids, where, label_set=label_set)

    def samples(
        self,
        *,
        where: Where = None,
        ids: Sequence[str] | None = None,
        label_set: str = DEFAULT_LABEL_SET,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """See `Snapshot.samples`."""
        return self._ask(states.sample_rows, where, ids=ids, label_set=label_set, columns=columns)

    def iter_samples(self, *, where: Where = None, ids: Sequence[str] | None = None) -> Iterator[Sample]:
        """See `Snapshot.iter_samples`."""
        wanted = self.ids(where) if ids is None else list(ids)
        for start in range(0, len(wanted), _TOGETHER):
            yield from rows.samples_from_arrow(self.samples(ids=wanted[start : start + _TOGETHER]))

    def annotations(
        self,
        label_set: str = DEFAULT_LABEL_SET,
        *,
        where: Where = None,
        sample_ids: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """See `Snapshot.annotations`."""
        return self._ask(
            states.annotation_rows, label_set, where=where, sample_ids=sample_ids, columns=columns
        )

    def rows_of(
        self, table: str, *, not_in: Snapshot | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """See `Snapshot.rows_of`; with `not_in` all rows come, which is more than is needed."""
        return self._ask(states.all_rows, table, columns=columns)

    @cached_property
    def _index(self) -> pa.Table:
        return self.samples(columns=["sample_id", "name"])

    def _ask(self, verb: Callable[..., T], *args: Any, **options: Any) -> T:
        name = f"{self.dataset.name}@{self.commit_id}" if self.commit_id else self.name
        state = "" if self.commit_id else self.state_sha256
        return verb(Actor.nobody(), name, *args, store=self._store, state=state, **options)

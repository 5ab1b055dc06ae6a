"""The quarantine: files and annotations that were not imported, with the reason; and the register of imports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.datasets import refs, repository
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid8
from calotype.store import Store
from calotype.store.catalog import schema
from calotype.store.catalog.text_limits import escape_unstorable
from calotype.store.catalog.upserts import insert


@dataclass(frozen=True, slots=True)
class QuarantinedItem:
    """One file or annotation that was not imported, its place, and why; characters that are not text are escaped."""

    what: str
    place: str
    code: str
    reason: str
    item: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", escape_unstorable(self.place))
        object.__setattr__(self, "reason", escape_unstorable(self.reason))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"what": self.what, "place": self.place, "code": self.code, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One run of an import."""

    id: str
    kind: str
    source: str
    format: str
    label_set: str
    counts: dict[str, Any]
    losses: list[Any]
    actor: str
    started_at_us: int
    finished_at_us: int | None


def import_id(dataset_id: str, kind: str, source: str) -> str:
    """The id of importing this source into this dataset: the same each time, so that a repeat is recognised."""
    return uuid8("import", dataset_id, kind, source)


def recorder(
    store: Store, name: str, import_id: str, items: Sequence[QuarantinedItem]
) -> Callable[[sa.Connection], None]:
    """What `apply(record=...)` runs: write the quarantine rows, once for each place and reason."""
    dataset_name, _ = refs.split_name(name)

    def record(conn: sa.Connection) -> None:
        info = repository.dataset_by_name(conn, dataset_name)
        if info is None or not items:
            return
        rows = [
            {
                "id": uuid8(import_id, item.what, item.place, item.reason),
                "dataset_id": info.id,
                "import_id": import_id,
                "what": item.what,
                "place": item.place[:4_000],
                "code": item.code,
                "reason": item.reason[:2_000],
                "item": _storable(item.item),
                "at_us": now_us(),
            }
            for item in items
        ]
        conn.execute(insert(conn, schema.quarantine).on_conflict_do_nothing(), rows)

    return record


def register(conn: sa.Connection, dataset_id: str, record: ImportRecord) -> None:
    """Insert or update the row of an import."""
    values = {f: getattr(record, f) for f in ImportRecord.__slots__} | {"dataset_id": dataset_id}
    changed = {name: value for name, value in values.items() if name != "id"}
    statement = insert(conn, schema.imports).values(**values)
    conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))


def quarantined_items(store: Store, dataset_id: str, *, limit: int = 1_000) -> list[QuarantinedItem]:
    """The quarantine of a dataset, newest first."""
    table = schema.quarantine
    query = (
        sa.select(table).where(table.c.dataset_id == dataset_id).order_by(table.c.at_us.desc(), table.c.place)
    )
    with store.catalog.read() as conn:
        rows = conn.execute(query.limit(limit)).mappings().all()
    names = ("what", "place", "code", "reason", "item")
    return [QuarantinedItem(*(row[name] for name in names)) for row in rows]


def _storable(item: Any) -> Any:
    text = repr(item)
    return (
        item
        if item is None or (len(text) < 20_000 and "nan" not in text and "inf" not in text)
        else text[:2_000]
    )

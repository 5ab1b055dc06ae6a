"""Table files, for maintenance: fragments, tags, stand-ins, compaction, old versions and unreferenced files.

A version consists of fragments in a certain state: data files and the rows deleted from them. Versions share these, so
a pass over all versions reads each fragment state only once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import lance
import pyarrow as pa
from lance.optimize import Compaction

from calotype.foundation.errors import Bug
from calotype.foundation.os_errors import of_a_query
from calotype.store.files.bucket import Entry
from calotype.store.tables.damaged_versions import DAMAGED_FOLDER
from calotype.store.tables.tables import TableDamaged, Tables

PIN = "pin-"
"""Prefix of the tags that mark stand-ins."""

_KEEP = "keep-"
_OPTIONS: Any = {"materialize_deletions": True, "materialize_deletions_threshold": 0.0}


@dataclass(frozen=True, slots=True)
class FragmentState:
    """A fragment as of one version: its data files, its deletion file (or ""), and its number of live rows."""

    files: tuple[str, ...]
    deleted: str
    n_rows: int
    fragment: Any

    @property
    def key(self) -> tuple[tuple[str, ...], str]:
        """Equal for equal content, across versions."""
        return (self.files, self.deleted)


def fragments(tables: Tables, table: str, pin: int) -> list[FragmentState]:
    """The fragments of a pinned version, in order. Raises: TableDamaged."""
    dataset = tables.at(table, pin)
    try:
        return [
            FragmentState(
                tuple(file.path for file in fragment.data_files()),
                fragment.deletion_file() or "",
                int(fragment.count_rows()),
                fragment,
            )
            for fragment in dataset.get_fragments()
        ]
    except (OSError, ValueError) as error:
        raise TableDamaged(table=table, version=pin, detail=str(error)[:300]) from error


def read_fragment(
    tables: Tables, table: str, pin: int, fragment: FragmentState, columns: list[str] | None
) -> pa.Table:
    """The rows of one fragment; None selects all columns. Raises: TableDamaged."""
    try:
        return tables.at(table, pin).scanner(columns=columns, fragments=[fragment.fragment]).to_table()
    except (OSError, ValueError) as error:
        raise TableDamaged(table=table, version=pin, detail=str(error)[:300]) from error


def tags(tables: Tables, table: str) -> dict[str, int]:
    """Lance version by tag, without damaged tags."""
    tag_versions = {name: tables.storage.read_tag(table, name) for name in tables.storage.tag_names(table)}
    return {name: version for name, version in tag_versions.items() if version is not None}


def delete_damaged_tags(tables: Tables, table: str) -> None:
    """Delete tag files damaged by a crash, which prevent Lance from listing any tags. Requires the write lock."""
    readable = tags(tables, table)
    delete_tags(tables, table, set(tables.storage.tag_names(table)) - readable.keys())


@dataclass(frozen=True, slots=True)
class TableStats:
    """What decides whether compacting a version is worthwhile."""

    n_rows: int
    n_fragments: int
    n_deleted: int


def table_stats(tables: Tables, table: str, pin: int) -> TableStats:
    """Count live rows, fragments and deleted rows. Raises: TableDamaged."""
    fragments = tables.at(table, pin).get_fragments()
    rows = sum(int(fragment.count_rows()) for fragment in fragments)
    return TableStats(rows, len(fragments), sum(int(fragment.physical_rows) for fragment in fragments) - rows)


def restore_to_head(tables: Tables, table: str, pin: int) -> lance.LanceDataset:
    """Make the rows of a pin the head of the table. Requires the write lock."""
    dataset = tables.version(table)
    pinned = tables.at(table, pin)
    if dataset.version != pinned.version:
        dataset = tables.version(table, int(pinned.version))
        dataset.restore()  # type: ignore[no-untyped-call]
    return dataset


def prepare_compaction(tables: Tables, table: str, pin: int) -> lance.LanceDataset:
    """Make a pin the head of the table, with up-to-date indexes, ready for compaction. Requires the write lock.

    Indexes come first: fragments with different index coverage are not merged. Indexes of vectors are dropped and must
    be rebuilt afterwards: they refer to the old files and still contain data of deleted rows.
    """
    dataset = restore_to_head(tables, table, pin)
    for index in dataset.describe_indices():
        if index.index_type.startswith("IVF"):
            dataset.drop_index(index.name)
    dataset = tables.version(table)
    if dataset.describe_indices():
        dataset.optimize.optimize_indices()
        dataset = tables.version(table)
    return dataset


def stage_compaction(dataset: lance.LanceDataset) -> list[Any]:
    """Write the same rows to fewer files, outside any lock; nothing refers to them until they are published."""
    plan = Compaction.plan(dataset, _OPTIONS)
    return [task.execute(dataset) for task in plan.tasks]


def publish_compaction(
    tables: Tables, table: str, dataset: lance.LanceDataset, staged: list[Any]
) -> int | None:
    """Publish staged files as a version; None if the table has changed meanwhile. Requires the write lock."""
    began_ns = time.time_ns() - 3_600_000_000_000  # the files were written earlier, outside the lock
    if tables.version(table).version != dataset.version:
        return None
    Compaction.commit(dataset, staged)
    names = ("data", "_deletions", "_transactions", "_versions")
    tables.storage.flush(table, names, since_ns=began_ns)
    return int(dataset.version)


def same_rows(tables: Tables, table: str, a: int, b: int) -> bool:
    """Whether two Lance versions have the same rows in the same order, compared by hash."""
    return _digest(tables.version(table, a)) == _digest(tables.version(table, b))


def _digest(dataset: lance.LanceDataset) -> tuple[Any, ...]:
    """An order-independent hash of all columns, and an ordered hash of the ids (the first column)."""
    names = ", ".join(f'"{name}"' for name in dataset.schema.names)
    with duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": 2}) as engine:
        engine.register("t", dataset.scanner().to_reader())
        try:
            result = engine.sql(
                f"SELECT count(*), sum(h), bit_xor(h) FROM (SELECT hash(row({names})) AS h FROM t)"
            )
            contents = tuple(result.fetchall()[0])
        except duckdb.Error as error:
            if (ours := of_a_query(error)) is not None:
                raise ours from error
            raise
    order = hashlib.sha256()
    for batch in dataset.scanner(columns=[dataset.schema.names[0]], scan_in_order=True).to_batches():
        order.update("".join(f"{key}\n" for key in batch.column(0).to_pylist()).encode())
    return (*contents, order.hexdigest())


def set_stand_in(tables: Tables, table: str, pin: int, version: int) -> None:
    """Read a pin from another version from now on, which must have the same rows. Requires the write lock.

    Raises: Bug.
    """
    dataset = tables.version(table, version)
    if dataset.count_rows() != tables.at(table, pin).count_rows():
        raise Bug(detail=f"{table} version {version} does not have the rows of pin {pin}")
    old = int(tables.at(table, pin).version)
    delete_damaged_tags(tables, table)
    _put_tag(dataset, f"new-{PIN}{pin}", version)
    tables.storage.rename_tag(table, f"new-{PIN}{pin}", f"{PIN}{pin}")
    for name, tagged in tags(tables, table).items():
        if tagged == old and not name.startswith(PIN):
            _put_tag(dataset, name, version)
    tables.forget(table)


def protect_versions(tables: Tables, table: str, versions: Collection[int]) -> None:
    """Tag exactly these versions as `keep-<n>`, which protects them from any clean-up.

    Moves damaged tags and versions aside, which would stop the clean-up. Requires the write lock.
    """
    tables.storage.isolate_damaged(table, versions)
    delete_damaged_tags(tables, table)
    dataset = tables.version(table)
    tagged = {int(name[len(_KEEP) :]) for name in tags(tables, table) if name.startswith(_KEEP)}
    for version in sorted(set(versions) - tagged):
        dataset.tags.create(f"{_KEEP}{version}", version)
    for version in sorted(tagged - set(versions)):
        dataset.tags.delete(f"{_KEEP}{version}")
    tables.storage.flush_tags(table)


def delete_tags(tables: Tables, table: str, names: Iterable[str]) -> None:
    """Delete tags that exist."""
    for name in names:
        tables.storage.delete_tag(table, name)


def versions(tables: Tables, table: str) -> list[int]:
    """All existing Lance versions of a table, oldest first."""
    return sorted(int(version["version"]) for version in tables.version(table).versions())


def remove_versions(tables: Tables, table: str, old: Collection[int]) -> int:
    """Remove versions that no pin is read from, and files that only they use. Returns bytes freed.

    Keeps the head, and versions with any tag other than a stand-in tag.
    """
    if not old:
        return 0
    stand_in_tags = [
        name for name, version in tags(tables, table).items() if version in old and _is_stand_in_tag(name)
    ]
    delete_tags(tables, table, stand_in_tags)  # no pin is read from these versions
    stats = tables.version(table).cleanup_old_versions(
        versions=sorted(old), error_if_tagged_old_versions=False
    )
    tables.forget(table)
    return int(stats.bytes_removed)


def stray_files(tables: Tables, table: str) -> list[Entry]:
    """Data and deletion files that no version refers to: staged by a running or dead writer."""
    referenced: set[str] = set()
    for version in versions(tables, table):
        for fragment in tables.version(table, version).get_fragments():
            referenced.update(file.path for file in fragment.data_files())
            referenced.add(Path(fragment.deletion_file() or "").name)
    stored = [
        entry
        for name in ("data", "_deletions", DAMAGED_FOLDER)
        for entry in tables.storage.list_files(f"{table}.lance/{name}")
    ]
    unreferenced = [entry for entry in stored if entry.name.rpartition("/")[2] not in referenced]
    return sorted(unreferenced, key=lambda entry: entry.name)


def _is_stand_in_tag(name: str) -> bool:
    return name.startswith((PIN, f"new-{PIN}"))


def _put_tag(dataset: lance.LanceDataset, name: str, version: int) -> None:
    if name in dataset.tags.list():
        dataset.tags.update(name, version)
    else:
        dataset.tags.create(name, version)

"""Table files for those who keep a workspace whole and small: parts, tags, stand-ins, old versions, leftovers.

A version consists of *parts*: a data file with the rows that a version has deleted from it. Versions share parts, so
whoever has to look at all versions looks at each part once.
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
from calotype.store.files.bucket import Entry
from calotype.store.tables.damaged_versions import ASIDE
from calotype.store.tables.tables import TableDamaged, Tables

PIN = "pin-"
"""How the tags of stand-ins begin."""

_KEEP = "keep-"
_OPTIONS: Any = {"materialize_deletions": True, "materialize_deletions_threshold": 0.0}


@dataclass(frozen=True, slots=True)
class Part:
    """A fragment as one version has it: its data files and its deletion file (or ""), and the rows that are left."""

    files: tuple[str, ...]
    deleted: str
    n_rows: int
    fragment: Any

    @property
    def key(self) -> tuple[tuple[str, ...], str]:
        """Equal for equal content, in whatever version."""
        return (self.files, self.deleted)


def parts(tables: Tables, table: str, pin: int) -> list[Part]:
    """What a pinned version consists of, in order. Raises: TableDamaged."""
    dataset = tables.at(table, pin)
    try:
        return [
            Part(
                tuple(file.path for file in fragment.data_files()),
                fragment.deletion_file() or "",
                int(fragment.count_rows()),
                fragment,
            )
            for fragment in dataset.get_fragments()
        ]
    except (OSError, ValueError) as error:
        raise TableDamaged(table=table, version=pin, detail=str(error)[:300]) from error


def read_part(tables: Tables, table: str, pin: int, part: Part, columns: list[str] | None) -> pa.Table:
    """The rows of one part (all columns with None). Raises: TableDamaged."""
    try:
        return tables.at(table, pin).scanner(columns=columns, fragments=[part.fragment]).to_table()
    except (OSError, ValueError) as error:
        raise TableDamaged(table=table, version=pin, detail=str(error)[:300]) from error


def tags(tables: Tables, table: str) -> dict[str, int]:
    """The tags of a table with the Lance version of each; tags that a crash tore are left out."""
    found = {name: tables.place.tagged(table, name) for name in tables.place.tag_names(table)}
    return {name: version for name, version in found.items() if version is not None}


def drop_torn_tags(tables: Tables, table: str) -> None:
    """Remove the files of tags that a crash tore: Lance can list no tag beside one. Only inside the write lock."""
    whole = tags(tables, table)
    untag(tables, table, set(tables.place.tag_names(table)) - whole.keys())


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides whether a version is worth compacting."""

    n_rows: int
    n_parts: int
    n_deleted: int


def shape(tables: Tables, table: str, pin: int) -> Shape:
    """Rows, parts and deleted rows that still lie in files. Raises: TableDamaged."""
    fragments = tables.at(table, pin).get_fragments()
    rows = sum(int(one.count_rows()) for one in fragments)
    return Shape(rows, len(fragments), sum(int(one.physical_rows) for one in fragments) - rows)


def to_head(tables: Tables, table: str, pin: int) -> lance.LanceDataset:
    """Bring the rows of a pin to the table's head. Only inside the write lock."""
    dataset = tables.version(table)
    wanted = tables.at(table, pin)
    if dataset.version != wanted.version:
        dataset = tables.version(table, int(wanted.version))
        dataset.restore()  # type: ignore[no-untyped-call]
    return dataset


def prepare(tables: Tables, table: str, pin: int) -> lance.LanceDataset:
    """Bring a pin to the table's head with its indexes up to date, ready to be compacted. Only inside the write lock.

    Indexes come first: neighbours with different index coverage would not be merged. Indexes of vectors go, and are
    to be built anew afterwards: their parts cover different files, and they hold something of rows that are gone.
    """
    dataset = to_head(tables, table, pin)
    for index in dataset.describe_indices():
        if index.index_type.startswith("IVF"):
            dataset.drop_index(index.name)
    dataset = tables.version(table)
    if dataset.describe_indices():
        dataset.optimize.optimize_indices()
        dataset = tables.version(table)
    return dataset


def stage_compaction(dataset: lance.LanceDataset) -> list[Any]:
    """Write the same rows into fewer files, outside of any lock; costs disk and nothing else until published."""
    plan = Compaction.plan(dataset, _OPTIONS)
    return [task.execute(dataset) for task in plan.tasks]


def publish_compaction(
    tables: Tables, table: str, dataset: lance.LanceDataset, staged: list[Any]
) -> int | None:
    """Make a version of the staged files; None when somebody wrote to the table since. Only inside the write lock."""
    began_ns = time.time_ns() - 3_600_000_000_000  # the files were written before, outside the lock
    if tables.version(table).version != dataset.version:
        return None
    Compaction.commit(dataset, staged)
    names = ("data", "_deletions", "_transactions", "_versions")
    tables.place.flush(table, names, since_ns=began_ns)
    return int(dataset.version)


def same_rows(tables: Tables, table: str, a: int, b: int) -> bool:
    """Whether two Lance versions hold the same rows, in the same order, by hashes."""
    return _digest(tables.version(table, a)) == _digest(tables.version(table, b))


def _digest(dataset: lance.LanceDataset) -> tuple[Any, ...]:
    """A hash of all columns in any order, and one of the ids (the first column) in theirs."""
    names = ", ".join(f'"{name}"' for name in dataset.schema.names)
    with duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": 2}) as engine:
        engine.register("t", dataset.scanner().to_reader())
        told = engine.sql(f"SELECT count(*), sum(h), bit_xor(h) FROM (SELECT hash(row({names})) AS h FROM t)")
        whole = tuple(told.fetchall()[0])
    order = hashlib.sha256()
    for batch in dataset.scanner(columns=[dataset.schema.names[0]], scan_in_order=True).to_batches():
        order.update("".join(f"{key}\n" for key in batch.column(0).to_pylist()).encode())
    return (*whole, order.hexdigest())


def stand_in(tables: Tables, table: str, pin: int, version: int) -> None:
    """From now on a pin is read from another version, which must hold the same rows. Only inside the write lock.

    Raises: Bug.
    """
    dataset = tables.version(table, version)
    if dataset.count_rows() != tables.at(table, pin).count_rows():
        raise Bug(detail=f"{table} version {version} does not hold the rows of pin {pin}")
    old = int(tables.at(table, pin).version)
    drop_torn_tags(tables, table)
    _put_tag(dataset, f"new-{PIN}{pin}", version)
    tables.place.rename_tag(table, f"new-{PIN}{pin}", f"{PIN}{pin}")
    for name, tagged in tags(tables, table).items():
        if tagged == old and not name.startswith(PIN):
            _put_tag(dataset, name, version)
    tables.forget(table)


def keep(tables: Tables, table: str, versions: Collection[int]) -> None:
    """Tag exactly these versions `keep-<n>`, so that no clean-up takes them, whoever runs it.

    Torn tags and versions, which would stop the clean-up, are moved out of its way. Only inside the write lock.
    """
    tables.place.set_torn_aside(table, versions)
    drop_torn_tags(tables, table)
    dataset = tables.version(table)
    tagged = {int(name[len(_KEEP) :]) for name in tags(tables, table) if name.startswith(_KEEP)}
    for version in sorted(set(versions) - tagged):
        dataset.tags.create(f"{_KEEP}{version}", version)
    for version in sorted(tagged - set(versions)):
        dataset.tags.delete(f"{_KEEP}{version}")
    tables.place.flush_tags(table)


def untag(tables: Tables, table: str, names: Iterable[str]) -> None:
    """Remove tags where they are there."""
    for name in names:
        tables.place.untag(table, name)


def versions(tables: Tables, table: str) -> list[int]:
    """All Lance versions of a table that still exist, oldest first."""
    return sorted(int(one["version"]) for one in tables.version(table).versions())


def remove_versions(tables: Tables, table: str, old: Collection[int]) -> int:
    """Remove versions that no pin is read from, and the files that only they hold. Returns bytes freed.

    The head stays, and what is tagged otherwise than as a stand-in.
    """
    if not old:
        return 0
    loose = [name for name, version in tags(tables, table).items() if version in old and _is_of_pin(name)]
    untag(tables, table, loose)  # no pin is read from these any more
    stats = tables.version(table).cleanup_old_versions(
        versions=sorted(old), error_if_tagged_old_versions=False
    )
    tables.forget(table)
    return int(stats.bytes_removed)


def stray_files(tables: Tables, table: str) -> list[Entry]:
    """Files of rows and deletions that no version holds: staged by a writer that is at work, or that died."""
    held: set[str] = set()
    for version in versions(tables, table):
        for fragment in tables.version(table, version).get_fragments():
            held.update(file.path for file in fragment.data_files())
            held.add(Path(fragment.deletion_file() or "").name)
    lying = [
        entry
        for name in ("data", "_deletions", ASIDE)
        for entry in tables.place.listed(f"{table}.lance/{name}")
    ]
    found = [entry for entry in lying if entry.name.rpartition("/")[2] not in held]
    return sorted(found, key=lambda entry: entry.name)


def _is_of_pin(name: str) -> bool:
    return name.startswith((PIN, f"new-{PIN}"))


def _put_tag(dataset: lance.LanceDataset, name: str, version: int) -> None:
    if name in dataset.tags.list():
        dataset.tags.update(name, version)
    else:
        dataset.tags.create(name, version)

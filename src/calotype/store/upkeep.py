"""Table files for those who keep a workspace whole: what a version consists of, which tags keep it, what is left over.

A version consists of *parts*: a data file with the rows that a version has deleted from it. Versions share parts, so
whoever has to look at all versions looks at each part once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from calotype.store.tables import TableDamaged, Tables


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


def tags(tables: Tables, table: str, pin: int) -> dict[str, int]:
    """The tags of a table with the Lance version of each. `pin` is any that can be opened. Raises: TableDamaged."""
    return {name: int(tag["version"]) for name, tag in tables.at(table, pin).tags.list().items()}

"""All rows of one catalog into another of the same revision, whichever databases the two are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from calotype.store.catalog import schema

_AT_ONCE = 500


def copy_rows(
    source: sa.Connection, target: sa.Connection, tell: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """Copy every row into empty tables, and let numbering go on behind them. Returns rows by table."""
    counts = {}
    for table in schema.metadata.sorted_tables:
        counts[table.name] = 0
        found = source.execute(sa.select(*(_plain(column) for column in table.c))).mappings()
        while some := found.fetchmany(_AT_ONCE):
            rows = [{column.name: _value(column, row[column.name]) for column in table.c} for row in some]
            target.execute(table.insert(), rows)
            counts[table.name] += len(rows)
            tell()
        _number_on(target, table)
    return counts


def count_rows(conn: sa.Connection) -> dict[str, int]:
    """Rows by table."""
    tables = schema.metadata.sorted_tables
    return {table.name: conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables}


def drop_rows(conn: sa.Connection) -> None:
    """Empty every table."""
    for table in reversed(schema.metadata.sorted_tables):
        conn.execute(table.delete())


def _plain(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """JSON is read as its text, because an absent value and a JSON null are the same to Python, and not to SQL."""
    return sa.cast(column, sa.Text).label(column.name) if isinstance(column.type, sa.JSON) else column


def _value(column: sa.Column[Any], found: Any) -> Any:
    if not isinstance(column.type, sa.JSON):
        return found
    if found is None:
        return sa.null()
    value = json.loads(found)
    return sa.JSON.NULL if value is None else value


def _number_on(conn: sa.Connection, table: sa.Table) -> None:
    if conn.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        if column.autoincrement is True:
            top = conn.scalar(sa.select(sa.func.max(column))) or 0
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            conn.execute(sa.select(sa.func.setval(sequence, top + 1, False)))

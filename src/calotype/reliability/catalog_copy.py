"""Copies all rows between two catalogs of the same revision, on either database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from calotype.store.catalog import schema

_CHUNK = 500


def copy_rows(
    source: sa.Connection, target: sa.Connection, tell: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """Copy every row into empty tables, and advance their sequences. Returns the number of rows by table."""
    counts = {}
    for table in schema.metadata.sorted_tables:
        counts[table.name] = 0
        source_rows = source.execute(sa.select(*(_readable(column) for column in table.c))).mappings()
        while chunk := source_rows.fetchmany(_CHUNK):
            rows = [{column.name: _value(column, row[column.name]) for column in table.c} for row in chunk]
            target.execute(table.insert(), rows)
            counts[table.name] += len(rows)
            tell()
        _advance_sequence(target, table)
    return counts


def count_rows(conn: sa.Connection) -> dict[str, int]:
    """Number of rows by table."""
    tables = schema.metadata.sorted_tables
    return {table.name: conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables}


def drop_rows(conn: sa.Connection) -> None:
    """Delete all rows of all tables."""
    for table in reversed(schema.metadata.sorted_tables):
        conn.execute(table.delete())


def _readable(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """JSON columns are read as text: Python maps both SQL NULL and JSON null to None."""
    return sa.cast(column, sa.Text).label(column.name) if isinstance(column.type, sa.JSON) else column


def _value(column: sa.Column[Any], raw: Any) -> Any:
    if not isinstance(column.type, sa.JSON):
        return raw
    if raw is None:
        return sa.null()
    value = json.loads(raw)
    return sa.JSON.NULL if value is None else value


def _advance_sequence(conn: sa.Connection, table: sa.Table) -> None:
    if conn.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        if column.autoincrement is True:
            top = conn.scalar(sa.select(sa.func.max(column))) or 0
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            conn.execute(sa.select(sa.func.setval(sequence, top + 1, False)))

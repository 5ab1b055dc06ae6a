"""Texts on their way to a database: the same ones are taken by SQLite and by PostgreSQL, of any length.

PostgreSQL has no character NUL, neither database has half of a surrogate pair, and only PostgreSQL holds a column to
its length. What cannot be kept is refused here, because the driver fails in the middle of what it sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from calotype.foundation.errors import Invalid

_SHOWN = 40


class TextNotStorable(Invalid):
    """A text that a database cannot keep."""

    code = "text-not-storable"
    what = "the text {got} cannot be stored: it holds {detail}"
    fix = "remove that character from the name, message or file it came from"


def refuse_unstorable(
    _conn: Any, _cursor: Any, _statement: Any, parameters: Any, _context: Any, _many: bool
) -> None:
    """For SQLAlchemy's `before_cursor_execute`. Raises: TextNotStorable."""
    for value in _texts(parameters):
        if "\0" in value:
            raise TextNotStorable(got=ascii(value[:_SHOWN]), detail="the character NUL")
        if not value.isascii() and not _is_unicode(value):
            raise TextNotStorable(got=ascii(value[:_SHOWN]), detail="a character that is not Unicode")


def storable(text: str) -> str:
    """The text with what cannot be stored written as an escape; for reports of bad data, which must not fail."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def drop_unsure(context: sa.engine.ExceptionContext) -> None:
    """For `handle_error`: a driver that failed by itself may have left half a message on the line.

    The next answers on that line would be those of other questions, so it is never used again.
    """
    if context.sqlalchemy_exception is None and context.dialect.name == "postgresql":
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def lift_lengths(conn: sa.Connection) -> None:
    """Make texts of PostgreSQL as long as they like, as they are in SQLite. Costs no rewrite of the rows."""
    columns = conn.execute(
        sa.text(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND data_type = 'character varying'"
        )
    ).all()
    quoted = conn.dialect.identifier_preparer.quote_identifier
    for table, column in columns:
        conn.exec_driver_sql(f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(column)} TYPE text")


def _texts(parameters: Any) -> Iterator[str]:
    """All texts among the parameters of one statement or of many, given by place or by name."""
    if isinstance(parameters, str):
        yield parameters
    elif isinstance(parameters, Mapping):
        yield from _texts(tuple(parameters.values()))
    elif isinstance(parameters, (tuple, list)):
        for one in parameters:
            yield from _texts(one)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

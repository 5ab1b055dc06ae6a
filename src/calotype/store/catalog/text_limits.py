"""Uniform limits for text in both databases, independent of its length.

PostgreSQL cannot store NUL, neither database can store half a surrogate pair, and only PostgreSQL enforces column
lengths. Text that cannot be stored is rejected here, because the driver would fail halfway through a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

import sqlalchemy as sa

from calotype.foundation.errors import Invalid

_SHOWN = 40
_WITHOUT_TEXT = frozenset({bytes, int, float, bool, type(None)})


class TextNotStorable(Invalid):
    """Text that the databases cannot store."""

    code = "text-not-storable"
    what = "the text {got} cannot be stored: it contains {detail}"
    fix = "remove that character from the name, message or file that it comes from"


def refuse_unstorable(
    _conn: Any, _cursor: Any, _statement: Any, parameters: Any, _context: Any, _many: bool
) -> None:
    """For SQLAlchemy's `before_cursor_execute`. Raises: TextNotStorable."""
    if _are_plain_rows(parameters):
        return
    for value in _strings(parameters):
        if "\0" in value:
            raise TextNotStorable(got=ascii(value[:_SHOWN]), detail="the NUL character")
        if not value.isascii() and not _is_unicode(value):
            raise TextNotStorable(
                got=ascii(value[:_SHOWN]), detail="an unpaired surrogate, which is not valid Unicode"
            )


def escape_unstorable(text: str) -> str:
    """Escape characters that cannot be stored; for reports of bad data, which must not fail."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def drop_broken_connection(context: sa.engine.ExceptionContext) -> None:
    """For `handle_error`: drop a connection whose driver failed, because half a message may have been sent.

    Later replies on this connection could belong to earlier queries, so it is never used again.
    """
    if context.sqlalchemy_exception is None and context.dialect.name == "postgresql":
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def remove_length_limits(conn: sa.Connection) -> None:
    """Remove the length limits of PostgreSQL text columns, to match SQLite. Does not rewrite any rows."""
    columns = conn.execute(
        sa.text(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND data_type = 'character varying'"
        )
    ).all()
    quoted = conn.dialect.identifier_preparer.quote_identifier
    for table, column in columns:
        conn.exec_driver_sql(f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(column)} TYPE text")


def _strings(parameters: Any) -> Iterator[str]:
    """All strings among the parameters of one or more statements, positional or named."""
    if isinstance(parameters, str):
        yield parameters
    elif isinstance(parameters, Mapping):
        yield from _strings(tuple(parameters.values()))
    elif isinstance(parameters, (tuple, list)):
        for parameter in parameters:
            kind = type(parameter)
            if kind is str:
                yield parameter
            elif kind not in _WITHOUT_TEXT:
                yield from _strings(parameter)


def _are_plain_rows(parameters: Any) -> bool:
    """Whether these are the values of many statements, and all texts among them are ASCII without NUL."""
    if type(parameters) is not list or set(map(type, parameters)) != {tuple}:
        return False
    for column in zip_longest(*parameters):
        kinds = set(map(type, column))
        texts = "".join(column) if kinds == {str} else ""
        if not kinds <= _WITHOUT_TEXT and (kinds != {str} or not texts.isascii() or "\0" in texts):
            return False
    return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

"""All rows of a catalog, copied into another one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.support.cities import ANA

from calotype.reliability.catalog_copy import copy_rows, count_rows, drop_rows
from calotype.store.catalog import audit_chain, schema
from calotype.store.catalog.catalog import Catalog

ROW = schema.workspace.insert()


def put(conn, key, value=1):
    conn.execute(ROW.values(key=key, value=value))


def verb(catalog, name, **details):
    """A write that only records its event."""
    with catalog.write(ANA, name, subject="shop") as tx:
        tx.details(details)


def chain(catalog):
    with catalog.read() as conn:
        return audit_chain.walk(conn)


def value(catalog, key):
    with catalog.read() as conn:
        return conn.scalar(sa.select(schema.workspace.c.value).where(schema.workspace.c.key == key))


@pytest.fixture
def catalogs(tmp_path):
    """Two catalogs, the second one empty."""
    both = Catalog(tmp_path / "catalog.sqlite"), Catalog(tmp_path / "other.sqlite")
    yield both
    for catalog in both:
        catalog.close()


def test_all_rows_and_the_audit_chain_are_copied(catalogs):
    catalog, other = catalogs
    for number in range(3):
        verb(catalog, "test.put", n=number)
    with catalog.bookkeeping() as conn:
        put(conn, "null", None)
        put(conn, "é", {"a": [1.5, None]})
    with catalog.read() as source, other.bookkeeping() as target:
        copied = copy_rows(source, target)
        assert copied == count_rows(source) == count_rows(target)
    assert (copied["audit"], copied["workspace"]) == (3, 2)
    assert chain(other) == chain(catalog)
    assert (value(other, "é"), value(other, "null")) == ({"a": [1.5, None]}, None)
    with other.bookkeeping() as conn:
        drop_rows(conn)
        assert set(count_rows(conn).values()) == {0}

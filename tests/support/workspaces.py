"""Empty workspaces on a temporary folder, and catalogs that need not be migrated again for every test."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from calotype.foundation.actor import Actor
from calotype.store import Store
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.engines import WRITE
from calotype.store.store import create_workspace


@pytest.fixture(scope="session")
def migrated_statements(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The statements that build what the migrations build in a new SQLite catalog."""
    path = tmp_path_factory.mktemp("migrated-statements") / "catalog.sqlite"
    Catalog(path).close()
    with sqlite3.connect(path) as conn:
        statements = [line for line in conn.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;")]
    conn.close()
    return statements


@pytest.fixture(autouse=True)
def quick_catalogs(migrated_statements: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A new SQLite catalog gets its tables from one list of statements: running the migrations takes far longer.

    Folders whose tests are about catalogs override this fixture, and other processes do not have it: there the
    migrations run. Databases that hold tables, and PostgreSQL, are always migrated.
    """
    from calotype.store.catalog.migrations import upgrade  # alembic: not in the process that hands tests out

    migrate = upgrade.upgrade

    def build_or_migrate(engine: sa.Engine) -> None:
        if engine.dialect.name == "sqlite":
            with engine.connect() as conn, conn.execution_options(**{WRITE: True}).begin():
                if not sa.inspect(conn).get_table_names():
                    for statement in migrated_statements:
                        conn.exec_driver_sql(statement)
                    return
        migrate(engine)

    monkeypatch.setattr(upgrade, "upgrade", build_or_migrate)


@pytest.fixture
def owner() -> Actor:
    """Somebody who may do everything."""
    return Actor(id="test:ana", name="ana")


@pytest.fixture
def workspace(tmp_path: Path, owner: Actor) -> Iterator[Store]:
    """A fresh workspace in a folder of its own, closed afterwards."""
    store = create_workspace(owner, tmp_path / "workspace")
    yield store
    store.close()

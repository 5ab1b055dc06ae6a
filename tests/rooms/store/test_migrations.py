"""The migrations produce the schema, and upgrade older workspaces without loss."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from calotype.store.catalog import schema
from calotype.store.catalog.catalog import HEAD_REVISION, Catalog
from calotype.store.catalog.migrations import upgrade

SCRIPTS = Path(upgrade.__file__).parent


def test_a_new_catalog_has_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite")
    with catalog.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), schema.metadata) == []
    catalog.close()


def test_the_newest_migration_is_the_head_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD_REVISION


def test_the_statements_that_other_tests_build_a_catalog_with_are_those_of_the_migrations(
    tmp_path: Path, migrated_statements: list[str]
) -> None:
    with sqlite3.connect(tmp_path / "built.sqlite") as built:
        for statement in migrated_statements:
            built.execute(statement)
    Catalog(tmp_path / "migrated.sqlite").close()
    with sqlite3.connect(tmp_path / "migrated.sqlite") as migrated:
        listed = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        assert built.execute(listed).fetchall() == migrated.execute(listed).fetchall() != []
        assert list(built.iterdump()) == list(migrated.iterdump())
    built.close()
    migrated.close()


def _of_revision(revision: str, path: Path, insert: str) -> Catalog:
    """A catalog created at a revision, with the dataset `old` and another row, opened by this version."""
    engine = sa.create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
        conn.exec_driver_sql(
            "INSERT INTO datasets (id, name, description, created_at_us, created_by) VALUES ('d', 'old', '', 1, 'me')"
        )
        conn.exec_driver_sql(insert)
    engine.dispose()
    return Catalog(path)


def test_a_workspace_of_the_first_revision_keeps_its_rows(tmp_path: Path) -> None:
    catalog = _of_revision(
        "0001",
        tmp_path / "catalog.sqlite",
        "INSERT INTO refs (dataset_id, name, kind, pins, documents, sequence)"
        " VALUES ('d', 'main', 'branch', '{}', '{}', 0)",
    )
    with catalog.read() as conn:
        assert conn.scalar(sa.select(schema.datasets.c.name)) == "old"
        assert conn.scalar(sa.select(schema.refs.c.protection)) is None
    catalog.close()


def test_check_runs_of_the_third_revision_have_no_objectives(tmp_path: Path) -> None:
    catalog = _of_revision(
        "0003",
        tmp_path / "catalog.sqlite",
        "INSERT INTO check_runs (id, dataset_id, state_sha256, contract_sha256, gates, checks, actor,"
        " started_at_us, finished_at_us) VALUES ('r', 'd', '', '', '[]', '[]', 'me', 1, 2)",
    )
    with catalog.read() as conn:
        assert conn.execute(sa.select(schema.check_runs.c.id, schema.check_runs.c.objectives)).all() == [
            ("r", None)
        ]
    catalog.close()

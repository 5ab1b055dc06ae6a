"""The catalog on SQLite: transactions, the audit chain, errors of the database."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from tests.support.cities import ANA
from tests.support.refusals import assert_refused

from calotype.store.catalog import audit_chain, schema
from calotype.store.catalog.catalog import HEAD_REVISION, Catalog, WorkspaceTooNew
from calotype.store.catalog.engines import Timeouts
from calotype.store.catalog.errors import CatalogDamaged, CatalogNotWritable, WorkspaceBusy
from calotype.store.catalog.relocation import (
    WorkspaceMoved,
    clear_relocation,
    read_relocation,
    write_relocation,
)
from calotype.store.catalog.text_limits import TextNotStorable, escape_unstorable
from calotype.store.catalog.upserts import insert

ROW = schema.workspace.insert()


def put(conn, key, value=1):
    conn.execute(ROW.values(key=key, value=value))


def value(catalog, key):
    """The value of a row of `workspace`, None where there is none."""
    with catalog.read() as conn:
        return conn.scalar(sa.select(schema.workspace.c.value).where(schema.workspace.c.key == key))


def chain(catalog):
    with catalog.read() as conn:
        return audit_chain.walk(conn)


def verb(catalog, name, **details):
    """A write that only records its event."""
    with catalog.write(ANA, name, subject="shop") as tx:
        tx.details(details)


class TestWrite:
    """Write transactions."""

    def test_rows_and_event_are_committed_together(self, catalog):
        with catalog.write(ANA, "test.put", subject="shop") as tx:
            put(tx.conn, "k", 7)
            tx.details({"n": 1})
            tx.details({"m": 2})
        assert value(catalog, "k") == 7
        with catalog.read() as conn:
            (event,) = conn.execute(sa.select(schema.audit)).mappings()
        assert (event["actor"], event["verb"], event["subject"], event["details"], event["seq"]) == (
            "test:ana",
            "test.put",
            "shop",
            {"n": 1, "m": 2},
            1,
        )

    def test_a_failed_write_stores_neither(self, catalog):
        with pytest.raises(KeyError), catalog.write(ANA, "test.put", subject="shop") as tx:
            put(tx.conn, "k")
            raise KeyError
        assert (value(catalog, "k"), chain(catalog).n_events) == (None, 0)

    def test_an_abandoned_write_stores_neither(self, catalog):
        with catalog.write(ANA, "test.put", subject="shop") as tx:
            put(tx.conn, "k")
            tx.abandon()
        assert (value(catalog, "k"), chain(catalog).n_events) == (None, 0)

    def test_bookkeeping_records_no_event(self, catalog):
        with catalog.bookkeeping() as conn:
            put(conn, "k", 7)
        assert (value(catalog, "k"), chain(catalog).n_events) == (7, 0)

    def test_a_reader_sees_one_state_while_others_write(self, catalog):
        with catalog.read() as conn:
            count = sa.select(sa.func.count()).select_from(schema.workspace)
            assert conn.scalar(count) == 0
            verb(catalog, "test.other")
            with catalog.bookkeeping() as writer:
                put(writer, "k")
            assert conn.scalar(count) == 0

    def test_an_existing_row_is_kept_or_replaced(self, catalog):
        with catalog.bookkeeping() as conn:
            put(conn, "k", 1)
            statement = insert(conn, schema.workspace).values(key="k", value=2)
            conn.execute(statement.on_conflict_do_nothing())
        assert value(catalog, "k") == 1
        with catalog.bookkeeping() as conn:
            conn.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": 3}))
        assert value(catalog, "k") == 3


class TestRefused:
    """Errors of the database as errors of Calotype."""

    def test_another_writer_holds_the_lock(self, catalog, catalog_file):
        impatient = Catalog(catalog_file, Timeouts(busy_s=0.05))
        with catalog.bookkeeping(), pytest.raises(WorkspaceBusy) as refused:
            verb(impatient, "test.wait")
        assert_refused(refused, "workspace-busy", fix="nothing was changed")
        verb(impatient, "test.wait")
        assert chain(catalog).n_events == 1
        impatient.close()

    def test_a_catalog_of_a_newer_program(self, catalog_file):
        with sqlite3.connect(catalog_file) as conn:
            conn.execute("UPDATE alembic_version SET version_num = '9999'")
        conn.close()
        with pytest.raises(WorkspaceTooNew) as refused:
            Catalog(catalog_file)
        assert_refused(refused, "workspace-too-new", "9999", HEAD_REVISION, fix="upgrade calotype")
        assert refused.value.where.endswith("catalog.sqlite")

    def test_a_file_that_is_not_a_database(self, catalog_file):
        catalog_file.write_bytes(b"not what was written" * 500)
        with pytest.raises(CatalogDamaged) as refused:
            Catalog(catalog_file)
        assert_refused(refused, "catalog-damaged", "file is not a database", fix="`calotype restore")

    def test_a_folder_that_does_not_exist(self, tmp_path):
        with pytest.raises(CatalogNotWritable) as refused:
            Catalog(tmp_path / "nowhere" / "catalog.sqlite")
        assert_refused(
            refused, "catalog-not-writable", "unable to open database file", fix="run the same command again"
        )

    @pytest.mark.parametrize(
        ("text", "shown", "detail"),
        [
            ("a\0b", r"'a\x00b'", "NUL"),
            ("a\ud800b", r"'a\ud800b'", "surrogate"),
        ],
        ids=["nul", "unpaired surrogate"],
    )
    def test_text_that_not_every_database_can_store(self, catalog, text, shown, detail):
        with pytest.raises(TextNotStorable) as refused:
            verb(catalog, text)
        assert_refused(refused, "text-not-storable", shown, detail, fix="remove that character")
        assert chain(catalog).n_events == 0

    @pytest.mark.parametrize("text", ["b\0d", "b\ud800d", "\u00e9\0"], ids=ascii)
    def test_unstorable_text_in_one_of_many_rows(self, catalog, text):
        with pytest.raises(TextNotStorable), catalog.bookkeeping() as conn:
            conn.execute(ROW, [{"key": "good", "value": 1}, {"key": text, "value": 2}])
        assert value(catalog, "good") is None

    @pytest.mark.parametrize(
        ("text", "kept"), [("é", "é"), ("a\0b", "a\\x00b"), ("\ud800", "\\ud800"), ("", "")], ids=ascii
    )
    def test_a_report_of_bad_data_is_stored_with_escapes(self, text, kept):
        assert escape_unstorable(text) == kept


class TestAuditChain:
    """Every event holds the hash of the one before it."""

    @pytest.fixture
    def three(self, catalog):
        for number in range(3):
            verb(catalog, f"test.{number}", n=number)
        return catalog

    def change(self, catalog, statement):
        with catalog.bookkeeping() as conn:
            conn.execute(sa.text(statement))
        return chain(catalog)

    def test_an_empty_chain_ends_where_it_starts(self, catalog):
        assert chain(catalog) == audit_chain.ChainReport(0, "0" * 64, ())

    def test_an_unbroken_chain_has_no_problems(self, three):
        walked = chain(three)
        assert (walked.n_events, walked.problems, len(walked.head)) == (3, (), 64)

    def test_a_longer_chain_has_another_head(self, three):
        before = chain(three).head
        verb(three, "test.3")
        assert chain(three).head != before

    @pytest.mark.parametrize(
        "values",
        [
            "actor = 'eve'",
            "verb = 'x'",
            "subject = 'x'",
            "at_us = 1",
            "details = '{\"n\": 9}'",
            "details = '{'",
        ],
    )
    def test_an_event_that_was_changed(self, three, values):
        walked = self.change(three, f"UPDATE audit SET {values} WHERE seq = 2")
        assert [problem.startswith("event 2 was changed") for problem in walked.problems] == [True]

    def test_an_event_that_was_removed(self, three):
        walked = self.change(three, "DELETE FROM audit WHERE seq = 2")
        assert walked.problems == ("event 2 is missing: event 3 does not follow the previous event",)

    def test_the_first_event_removed(self, three):
        walked = self.change(three, "DELETE FROM audit WHERE seq = 1")
        assert walked.problems == ("event 1 is missing: event 2 does not follow the previous event",)

    def test_an_event_whose_hash_was_changed_too(self, three):
        walked = self.change(
            three, "UPDATE audit SET hash = iif(hash LIKE 'f%', 'e', 'f') || substr(hash, 2) WHERE seq = 1"
        )
        assert walked.problems[-1].startswith("event 2 does not follow")


class TestRelocation:
    """Writes to an abandoned location are refused."""

    def test_an_abandoned_catalog_refuses_writes(self, catalog):
        with catalog.bookkeeping() as conn:
            write_relocation(conn, "moved_to", {"catalog": "postgresql://db/x"})
        with pytest.raises(WorkspaceMoved) as refused:
            verb(catalog, "test.late")
        assert_refused(refused, "workspace-moved", fix="run the command again")
        with catalog.read() as conn:
            assert read_relocation(conn) == {"moved_to": {"catalog": "postgresql://db/x"}}

    def test_a_process_with_the_old_storage_open_cannot_write_after_a_move(self, catalog):
        with catalog.bookkeeping() as conn:
            write_relocation(conn, "bytes_at", {"media": "s3://b/media", "tables": "s3://b/tables"})
        verb(catalog, "test.not-asked")
        catalog.opened_locations = ("", "")
        with pytest.raises(WorkspaceMoved):
            verb(catalog, "test.late")
        catalog.opened_locations = ("s3://b/media", "s3://b/tables")
        verb(catalog, "test.arrived")

    def test_relocation_rows_are_replaced_and_deleted(self, catalog):
        with catalog.bookkeeping() as conn:
            for place in ("one", "two"):
                write_relocation(conn, "bytes_at", {"media": place, "tables": place})
            assert read_relocation(conn) == {"bytes_at": {"media": "two", "tables": "two"}}
            clear_relocation(conn)
            assert read_relocation(conn) == {}

"""The catalog keeps its promises on either database: one writer, an unbroken audit chain, clean errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support.servers import Postgres, free_port

from calotype.foundation.actor import Actor
from calotype.foundation.errors import CalotypeError
from calotype.foundation.hash_chain import event_hash
from calotype.store.catalog import schema
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.engines import CatalogUrlInvalid, Timeouts, disable_idle_timeout
from calotype.store.catalog.errors import CatalogUnreachable, WorkspaceBusy, WriteInterrupted
from calotype.store.media.references import References, reference
from calotype.store.media.remote_objects import RemoteObjects

ANA = Actor(id="test:ana", name="ana")
Place = Path | str
Opener = Callable[..., Catalog]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return tmp_path / "catalog.sqlite"
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh()


@pytest.fixture
def opened(place: Place, request: pytest.FixtureRequest) -> Opener:
    def open_(**waits: float) -> Catalog:
        catalog = Catalog(place, Timeouts(**waits))
        request.addfinalizer(catalog.close)
        return catalog

    return open_


def _counter(conn: sa.Connection) -> int:
    found: int | None = conn.scalar(
        sa.select(schema.workspace.c.value).where(schema.workspace.c.key == "count")
    )
    return found or 0


def _increment(catalog: Catalog, times: int) -> None:
    for _ in range(times):
        with catalog.write(ANA, "test.count", subject="counter") as tx:
            was = _counter(tx.conn)
            if was == 0:
                tx.conn.execute(schema.workspace.insert().values(key="count", value=1))
            else:
                tx.conn.execute(
                    schema.workspace.update().where(schema.workspace.c.key == "count").values(value=was + 1)
                )


def _assert_chain(catalog: Catalog, n_events: int) -> None:
    previous = "0" * 64
    with catalog.read() as conn:
        events = conn.execute(sa.select(schema.audit).order_by(schema.audit.c.seq)).mappings().all()
    assert len(events) == n_events
    for event in events:
        body = {name: event[name] for name in ("at_us", "actor", "verb", "subject", "details")}
        assert event["previous"] == previous and event_hash(body, previous=previous) == event["hash"]
        previous = event["hash"]


def test_threads_that_read_and_write_the_same_row_lose_nothing(opened: Opener) -> None:
    catalogs = [opened() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda catalog: _increment(catalog, 10), catalogs * 2))
    with catalogs[0].read() as conn:
        assert _counter(conn) == 80
    _assert_chain(catalogs[0], 80)


def test_a_new_database_that_many_open_at_once_is_migrated_once(place: Place) -> None:
    with ThreadPoolExecutor(4) as pool:
        catalogs = list(pool.map(lambda _: Catalog(place), range(4)))
    for catalog in catalogs:
        with catalog.read() as conn:
            assert set(sa.inspect(conn).get_table_names()) == {*schema.metadata.tables, "alembic_version"}
        catalog.close()


def test_a_verb_that_fails_leaves_neither_rows_nor_an_event(opened: Opener) -> None:
    catalog = opened()
    with (
        pytest.raises(ZeroDivisionError),
        catalog.write(ANA, "test.fail", subject="counter") as tx,
    ):
        tx.conn.execute(schema.workspace.insert().values(key="count", value=1))
        1 / 0  # noqa: B018
    with catalog.read() as conn:
        assert _counter(conn) == 0
    _assert_chain(catalog, 0)


def test_a_reader_sees_one_state_from_its_first_statement_to_its_last(opened: Opener) -> None:
    catalog = opened()
    _increment(catalog, 1)
    with catalog.read() as conn:
        assert _counter(conn) == 1
        _increment(catalog, 1)
        assert _counter(conn) == 1
    with catalog.read() as conn:
        assert _counter(conn) == 2


def test_a_writer_that_waits_too_long_gets_an_error_and_may_try_again(opened: Opener) -> None:
    catalog, impatient = opened(), opened(busy_s=0.2)
    with catalog.write(ANA, "test.hold", subject="counter"), pytest.raises(WorkspaceBusy) as caught:
        _increment(impatient, 1)
    assert caught.value.code == "workspace-busy"
    _increment(impatient, 1)
    _assert_chain(catalog, 2)


def test_a_writer_sees_what_was_committed_while_it_waited(opened: Opener) -> None:
    catalog, other = opened(), opened()
    holds, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with catalog.write(ANA, "test.hold", subject="counter") as tx:
            holds.set()
            may_end.wait(30)
            tx.conn.execute(schema.workspace.insert().values(key="count", value=41))

    with ThreadPoolExecutor(2) as pool:
        holder = pool.submit(hold)
        assert holds.wait(30)
        waiter = pool.submit(_increment, other, 1)
        may_end.set()
        holder.result()
        waiter.result()
    with catalog.read() as conn:
        assert _counter(conn) == 42
        _assert_chain(catalog, 2)


def test_a_writer_that_stands_still_is_cut_and_those_who_wait_get_through(postgres: Postgres) -> None:
    url = postgres.fresh()
    other = Catalog(url)  # makes the tables, between which the other one might stand still for too long
    stopped = Catalog(url, Timeouts(idle_s=1.5))
    done = threading.Event()
    with pytest.raises(WriteInterrupted) as caught, stopped.write(ANA, "test.stop", subject="counter") as tx:
        tx.conn.execute(schema.workspace.insert().values(key="count", value=7))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_increment, other, 1).add_done_callback(lambda _: done.set())
            assert done.wait(30)  # it could write because the server ended our transaction
        tx.conn.execute(sa.select(schema.workspace)).all()
    assert caught.value.code == "writer-cut"
    with other.read() as conn:
        assert _counter(conn) == 1
    _increment(stopped, 1)  # and the cut one can go on, with a new session
    _assert_chain(other, 2)
    stopped.close()
    other.close()


def test_many_rows_meet_rows_that_are_there_already(opened: Opener, tmp_path: Path) -> None:
    catalog = opened()
    found = [reference(f"file:///{number}", number, "etag") for number in range(2_500)]
    references = References(catalog, RemoteObjects(tmp_path))
    for some in (found[:1_000], found):
        with catalog.bookkeeping() as conn:
            references.register(conn, some)
    with catalog.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(schema.media_references)) == 2_500


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:secret@db.example.org/calotype",
        "postgresql://ana@/calotype",
        "postgresql://ana@db.example.org",
        "mysql://ana@db.example.org/calotype",
        "postgresql://ana@db.example.org/calotype?sslmode=maybe",
        "nonsense",
    ],
)
def test_addresses_that_cannot_be_used_are_refused_without_showing_secrets(url: str) -> None:
    with pytest.raises(CatalogUrlInvalid) as caught:
        Catalog(url)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_reported() -> None:
    with pytest.raises(CatalogUnreachable):
        Catalog(f"postgresql://calotype@127.0.0.1:{free_port()}/nothing")


def test_a_database_that_does_not_exist_is_reported(postgres: Postgres) -> None:
    with pytest.raises(CalotypeError) as caught:
        Catalog(f"postgresql://calotype@127.0.0.1:{postgres.port}/nothing")
    assert caught.value.code == "catalog-unreachable"


def test_a_patient_transaction_may_stand_still(postgres: Postgres) -> None:
    url = postgres.fresh()
    other = Catalog(url)  # makes the tables, see above
    patient = Catalog(url, Timeouts(idle_s=1.5))
    with patient.write(ANA, "test.wait", subject="counter") as tx:
        disable_idle_timeout(tx.conn)
        tx.conn.execute(schema.workspace.insert().values(key="count", value=7))
        with other.read() as conn:
            conn.exec_driver_sql("SELECT pg_sleep(2.5)")
    with other.read() as conn:
        assert _counter(conn) == 7
    patient.close()
    other.close()

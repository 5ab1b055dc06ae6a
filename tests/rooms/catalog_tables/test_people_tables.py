"""What the database itself guarantees about people, whatever the code above does."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from calotype.store.catalog import schema

TABLES = schema.of_people
PERSON = {
    "id": "p1",
    "email": "ana@example.org",
    "name": "Ana",
    "kind": "person",
    "created_at_us": 1,
    "created_by": "x",
}
SESSION = {
    "person_id": "p1", "secret_sha256": "aa", "previous_sha256": "", "browser": "", "address": "",
    "created_at_us": 1, "rotated_at_us": 1, "used_at_us": 1,
}  # fmt: skip
TOKEN = {
    "person_id": "p1", "name": "t", "prefix": "calo_", "secret_sha256": "bb", "scopes": [], "dataset_ids": [],
    "created_at_us": 1, "until_us": 2,
}  # fmt: skip
INVITATION = {"person_id": "p1", "secret_sha256": "cc", "created_at_us": 1, "until_us": 2}
TEAM = {"id": "t1", "name": "vision", "created_at_us": 1, "created_by": "x"}


@pytest.fixture
def put(workspace):
    """Inserts rows, all in one transaction."""

    def insert(*rows: tuple[sa.Table, dict[str, object]]) -> None:
        with workspace.catalog.bookkeeping() as conn:
            for table, values in rows:
                conn.execute(table.insert().values(**values))

    insert((TABLES.people, PERSON), (TABLES.teams, TEAM))
    return insert


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (TABLES.people, {**PERSON, "id": "p2"}),
        (TABLES.teams, {**TEAM, "id": "t2"}),
    ],
)
def test_addresses_and_names_of_teams_are_taken_once(put, table, row):
    with pytest.raises(sa.exc.IntegrityError):
        put((table, row))


@pytest.mark.parametrize(
    ("table", "row"), [(TABLES.sessions, SESSION), (TABLES.tokens, TOKEN), (TABLES.invitations, INVITATION)]
)
def test_two_rows_never_have_the_same_secret(put, table, row):
    put((table, {**row, "id": "1"}))
    with pytest.raises(sa.exc.IntegrityError):
        put((table, {**row, "id": "2"}))


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (TABLES.sessions, {**SESSION, "id": "1"}),
        (TABLES.tokens, {**TOKEN, "id": "1"}),
        (TABLES.members, {"team_id": "t1", "role": "curator", "created_at_us": 1}),
    ],
)
def test_nothing_belongs_to_a_person_who_does_not_exist(put, table, row):
    with pytest.raises(sa.exc.IntegrityError):
        put((table, {**row, "person_id": "nobody"}))


def test_an_account_with_a_session_cannot_be_deleted_so_that_its_id_is_never_used_again(put, workspace):
    put((TABLES.sessions, {**SESSION, "id": "1"}))
    with pytest.raises(sa.exc.IntegrityError), workspace.catalog.bookkeeping() as conn:
        conn.execute(TABLES.people.delete())


def test_a_refused_row_leaves_nothing_of_its_transaction(put, workspace):
    with pytest.raises(sa.exc.IntegrityError):
        put((TABLES.teams, {**TEAM, "id": "t2", "name": "night"}), (TABLES.people, {**PERSON, "id": "p2"}))
    with workspace.catalog.read() as conn:
        assert list(conn.scalars(sa.select(TABLES.teams.c.name))) == ["vision"]

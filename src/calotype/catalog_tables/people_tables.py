"""The catalog's tables of people: accounts, teams, grants, access requests, invitations, sessions, API tokens.

Of a secret only the SHA-256 is stored; of a password its Argon2id hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(200), **{"nullable": False, **options})


def _time(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _id(name: str = "id", *, key: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), primary_key=key, nullable=False)


def _person(**options: Any) -> sa.Column[str]:
    return sa.Column(
        "person_id",
        sa.String(32),
        sa.ForeignKey("people.id"),
        **{"nullable": False, "index": True, **options},
    )


class PeopleTables(NamedTuple):
    """The tables of the room `people`."""

    people: sa.Table
    teams: sa.Table
    members: sa.Table
    dataset_teams: sa.Table
    grants: sa.Table
    access_requests: sa.Table
    invitations: sa.Table
    identities: sa.Table
    used_states: sa.Table
    sessions: sa.Table
    tokens: sa.Table
    attempts: sa.Table
    device_sign_ins: sa.Table


def people_tables(metadata: sa.MetaData) -> PeopleTables:
    """The tables, in an order in which they can be created."""
    return PeopleTables(*_rights(metadata), *_sign_in(metadata))


def _rights(metadata: sa.MetaData) -> Iterator[sa.Table]:
    yield sa.Table(
        "people", metadata, _id(), _text("email", unique=True), _text("name"), _text("kind"),
        sa.Column("password_hash", sa.Text, nullable=True),
        _time("created_at_us"), _text("created_by"), _time("disabled_at_us", nullable=True),
    )  # fmt: skip
    yield sa.Table(
        "teams", metadata, _id(), _text("name", unique=True), _time("created_at_us"), _text("created_by")
    )
    yield sa.Table(
        "team_members", metadata, _person(primary_key=True, index=False),
        sa.Column("team_id", sa.String(32), sa.ForeignKey("teams.id"), primary_key=True),
        _text("role"), _time("created_at_us"),
    )  # fmt: skip
    yield sa.Table(
        "dataset_teams", metadata,
        sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id"), primary_key=True),
        sa.Column("team_id", sa.String(32), sa.ForeignKey("teams.id"), nullable=False, index=True),
    )  # fmt: skip
    yield sa.Table(
        "grants", metadata, _id(), _person(), _text("role"), _text("scope"), _id("scope_id", key=False),
        sa.Column("reason", sa.Text, nullable=False), _text("created_by"), _time("created_at_us"),
        _time("until_us", nullable=True), _time("revoked_at_us", nullable=True),
        _text("revoked_by", nullable=True), _text("source", server_default=""),
    )  # fmt: skip
    place, reason, note = (sa.Column(name, sa.Text, nullable=False) for name in ("place", "reason", "note"))
    asked, answered = _time("asked_at_us"), _time("answered_at_us", nullable=True)
    state, by = _text("state", index=True), _text("answered_by", nullable=True)
    columns = (_id(), _person(), _text("role"), place, reason, asked, state, answered, by, note)
    yield sa.Table("access_requests", metadata, *columns, _id("grant_id", key=False))


def _sign_in(metadata: sa.MetaData) -> Iterator[sa.Table]:
    yield sa.Table(
        "invitations", metadata, _id(), _person(nullable=True), _text("secret_sha256", unique=True),
        _time("created_at_us"), _time("until_us"), _time("used_at_us", nullable=True),
    )  # fmt: skip
    yield sa.Table(
        "identities", metadata, sa.Column("issuer", sa.String(400), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True), _person(), _time("created_at_us"),
    )  # fmt: skip
    yield sa.Table(
        "used_states", metadata, sa.Column("sha256", sa.String(64), primary_key=True), _time("at_us")
    )
    yield sa.Table(
        "sessions", metadata, _id(), _person(), _text("secret_sha256", unique=True),
        _text("previous_sha256", index=True), _text("browser"), _text("address"), _time("created_at_us"),
        _time("rotated_at_us"), _time("used_at_us"), _time("ended_at_us", nullable=True),
    )  # fmt: skip
    yield sa.Table(
        "api_tokens", metadata, _id(), _person(), _text("name"), _text("prefix"),
        _text("secret_sha256", unique=True), sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("dataset_ids", sa.JSON, nullable=False), _time("created_at_us"), _time("until_us"),
        _time("used_at_us", nullable=True), _time("revoked_at_us", nullable=True),
    )  # fmt: skip
    yield sa.Table("sign_in_attempts", metadata, _id(), _text("subject", index=True), _time("at_us"))
    yield sa.Table(
        "device_sign_ins", metadata, _id(), _text("device_sha256", unique=True), _text("code_sha256", unique=True),
        _text("device"), _text("address"), sa.Column("scopes", sa.JSON, nullable=False), _text("state"),
        _person(nullable=True), _time("created_at_us"), _time("until_us"),
    )  # fmt: skip

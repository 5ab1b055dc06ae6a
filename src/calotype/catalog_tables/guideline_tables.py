"""The catalog's tables of guidelines: their versions, who acknowledged them, and precedents."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa


class GuidelineTables(NamedTuple):
    """The tables of guidelines."""

    guidelines: sa.Table
    acknowledgements: sa.Table
    precedents: sa.Table


def guideline_tables(metadata: sa.MetaData) -> GuidelineTables:
    """The tables, in an order in which they can be created."""
    return GuidelineTables(_guidelines(metadata), _acknowledgements(metadata), _precedents(metadata))


def _dataset_id(*, key: bool) -> sa.Column[str]:
    link = sa.ForeignKey("datasets.id")
    return sa.Column("dataset_id", sa.String(32), link, primary_key=key, nullable=False, index=not key)


def _guidelines(metadata: sa.MetaData) -> sa.Table:
    """Versions of a dataset's guideline: drafts and published ones.

    `touches` names the classes and attributes whose labels a version makes stale; `ontology` is as it was published.
    """
    return sa.Table(
        "guidelines",
        metadata,
        _dataset_id(key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("examples", sa.JSON, nullable=False),
        sa.Column("changelog", sa.Text, nullable=False),
        sa.Column("touches", sa.JSON, nullable=False),
        sa.Column("ontology", sa.JSON, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("published_by", sa.String(200), nullable=False),
        sa.Column("published_at_us", sa.BigInteger, nullable=True),
    )


def _acknowledgements(metadata: sa.MetaData) -> sa.Table:
    """Who has read which version."""
    return sa.Table(
        "guideline_acknowledgements",
        metadata,
        _dataset_id(key=True),
        sa.Column("actor_id", sa.String(200), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )


def _precedents(metadata: sa.MetaData) -> sa.Table:
    """Rulings on difficult cases: an image or a part of it, the ruling and its reason."""
    return sa.Table(
        "precedents",
        metadata,
        sa.Column("id", sa.String(32), primary_key=True),
        _dataset_id(key=False),
        sa.Column("guideline_version", sa.Integer, nullable=False),
        sa.Column("class_name", sa.String(500), nullable=False),
        sa.Column("sample_id", sa.String(32), nullable=False, index=True),
        sa.Column("region", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("ruling", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("thread_id", sa.String(32), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("retired_at_us", sa.BigInteger, nullable=True),
    )

"""The catalog's tables of saved views."""

from __future__ import annotations

import sqlalchemy as sa


def saved_views(metadata: sa.MetaData) -> sa.Table:
    """Queries with their order and display, kept under a name.

    `ref` is empty for the working state; `within` is a part of an embedding map; `display` holds the size of the images
    and the hidden classes.
    """
    return sa.Table(
        "saved_views",
        metadata,
        sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id"), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("sort", sa.String(32), nullable=False),
        sa.Column("label_set", sa.String(200), nullable=False),
        sa.Column("ref", sa.String(200), nullable=False),
        sa.Column("within", sa.Text, nullable=False),
        sa.Column("display", sa.JSON, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    )

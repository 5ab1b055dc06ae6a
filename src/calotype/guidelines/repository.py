"""Catalog queries of guidelines: versions, acknowledgements, and under which version labels were made."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.store.catalog import schema

_GUIDELINES, _ACKNOWLEDGED = schema.of_guidelines.guidelines, schema.of_guidelines.acknowledgements
DRAFT, PUBLISHED = "draft", "published"


def newest_published(conn: sa.Connection, dataset_id: str) -> int:
    """The number of the newest published version; 0 if nothing is published."""
    is_published = (_GUIDELINES.c.dataset_id == dataset_id) & (_GUIDELINES.c.state == PUBLISHED)
    return int(conn.execute(sa.select(sa.func.max(_GUIDELINES.c.version)).where(is_published)).scalar() or 0)


def acknowledged(conn: sa.Connection, dataset_id: str, actor_id: str) -> int:
    """The newest version that somebody acknowledged; 0 if none."""
    by_actor = (_ACKNOWLEDGED.c.dataset_id == dataset_id) & (_ACKNOWLEDGED.c.actor_id == actor_id)
    return int(conn.execute(sa.select(sa.func.max(_ACKNOWLEDGED.c.version)).where(by_actor)).scalar() or 0)

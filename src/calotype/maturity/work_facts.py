"""What the catalog held about labelling and findings at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from calotype.maturity.facts import Facts
from calotype.maturity.model import DAY_US
from calotype.store.catalog import schema

_STATES, _WORK, _GUIDELINES = schema.finding_states, schema.of_work, schema.of_guidelines


def accepted_rounds(facts: Facts, days: int) -> list[int]:
    """The round of each annotator's work that was accepted on a sample that somebody reviewed, within days."""
    work, batches = _WORK.assignments, _WORK.batches
    review = work.alias("review")
    reviewed = sa.exists().where(
        review.c.batch_id == work.c.batch_id,
        review.c.sample_id == work.c.sample_id,
        review.c.kind == "review",
        review.c.finished_at_us.is_not(None),
    )
    query = (
        sa.select(work.c.round)
        .join(batches, batches.c.id == work.c.batch_id)
        .where(
            batches.c.dataset_id == facts.dataset_id,
            work.c.kind == "annotate",
            work.c.state == "accepted",
            reviewed,
            *facts.within(work.c.submitted_at_us, days),
        )
    )
    return [int(number) for number in facts.conn.scalars(query)]


def guideline(facts: Facts) -> Mapping[str, Any] | None:
    """The newest guideline that was published."""
    table = _GUIDELINES.guidelines
    query = (
        sa.select(table)
        .where(table.c.dataset_id == facts.dataset_id, table.c.published_at_us <= facts.at_us)
        .order_by(table.c.version.desc())
        .limit(1)
    )
    return next(iter(facts.rows(query)), None)


def touching_version(facts: Facts) -> int:
    """The newest published version of the guideline that touched something; 1 if none did."""
    table = _GUIDELINES.guidelines
    query = sa.select(table.c.version, table.c.touches).where(
        table.c.dataset_id == facts.dataset_id, table.c.published_at_us <= facts.at_us
    )
    return max((int(version) for version, touches in facts.conn.execute(query) if touches), default=1)


def labels_by_version(facts: Facts) -> dict[int, int]:
    """Guideline version -> labels with a record that were made under it."""
    records = _WORK.label_records
    query = (
        sa.select(records.c.guideline_version, sa.func.count())
        .where(records.c.dataset_id == facts.dataset_id, records.c.at_us <= facts.at_us)
        .group_by(records.c.guideline_version)
    )
    return {int(version): int(n) for version, n in facts.conn.execute(query)}


def answered_questions(facts: Facts, days: int) -> list[float]:
    """Days from a question of an annotator to its answer, of questions that were answered within days."""
    table = _WORK.threads
    query = sa.select(table.c.created_at_us, table.c.resolved_at_us).where(
        table.c.dataset_id == facts.dataset_id,
        table.c.kind == "question",
        *facts.within(table.c.resolved_at_us, days),
    )
    return [(answered - asked) / DAY_US for asked, answered in facts.conn.execute(query)]


def open_findings(facts: Facts, check: str) -> list[int]:
    """When the open findings of a check were opened, in microseconds."""
    query = sa.select(_STATES.c.opened_at_us).where(
        _STATES.c.dataset_id == facts.dataset_id,
        _STATES.c.check_name == check,
        _STATES.c.state == "open",
        _STATES.c.opened_at_us <= facts.at_us,
    )
    return [int(opened) for opened in facts.conn.scalars(query)]

"""Verbs on tracked findings: list, decide, history, precision of checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.findings import repository, undoing
from calotype.findings.lifecycle import (
    Decision,
    Event,
    Judgement,
    Precision,
    State,
    StateChanges,
    TrackedFinding,
)
from calotype.findings.lifecycle import precision as precision_of
from calotype.findings.repository import FindingFilter
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Invalid, NotFound
from calotype.foundation.verbs import verb
from calotype.store import Store

MAX_PAGE = 10_000
ALL = FindingFilter()
_JUDGEMENTS = (State.REJECTED, State.ACCEPTED)
_CLOSED = "it was closed by a re-test"


class FindingNotFound(NotFound):
    """No finding with this key."""

    code = "finding-not-found"
    what = "{dataset} has no finding {got!r}"
    fix = "list them with `calotype findings {dataset}`; a unique prefix of the key is enough"


class SelectionMissing(Invalid):
    """A decision or a fix that names no findings."""

    code = "finding-selection-missing"
    what = "no findings of {dataset} were selected"
    fix = "give `keys`, or `match` with the id of a run"


@dataclass(frozen=True, slots=True)
class FindingPage:
    """A page of findings, and the total number that match."""

    total: int
    items: tuple[TrackedFinding, ...]


@verb
def tracked(
    actor: Actor, name: str, filter_: FindingFilter = ALL, *, store: Store, offset: int = 0, limit: int = 100
) -> FindingPage:
    """Findings of a dataset with their state, worst first, then oldest first.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        limit = max(0, min(limit, MAX_PAGE))
        total, items = repository.page(conn, info.id, filter_, offset=max(0, offset), limit=limit)
    return FindingPage(total, tuple(items))


@verb
def keys_of(actor: Actor, name: str, filter_: FindingFilter, *, store: Store) -> tuple[str, ...]:
    """Keys of all matching findings; closed ones are included only if the filter names their state.

    Keys in the filter may be unique prefixes. Raises: NotPermitted, DatasetNotFound, FindingNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        if not filter_.keys:
            tracked_ = repository.tracked_findings(conn, info.id, filter_)
            return tuple(
                key
                for key, finding in tracked_.items()
                if filter_.states or finding.state is not State.CLOSED
            )
        known = repository.known_keys(conn, info.id, filter_.keys)
        return tuple(key if key in known else _full_key(conn, info.id, key, dataset) for key in filter_.keys)


def _full_key(conn: sa.Connection, dataset_id: str, prefix: str, dataset: str) -> str:
    matches = repository.keys_with_prefix(conn, dataset_id, prefix) if len(prefix) >= 4 else []
    if len(matches) != 1:
        raise FindingNotFound(dataset=dataset, got=prefix[:80])
    return matches[0]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was recorded: its id to undo it, the findings after it, and key -> reason of those left out."""

    id: str
    items: tuple[TrackedFinding, ...]
    skipped: Mapping[str, str]


@verb
def triage(
    actor: Actor, name: str, keys: Sequence[str], decision: Decision, *, store: Store, skip: bool = False
) -> Decided:
    """Decide on findings, so that the decision can be undone; either all decisions are applied or none.

    Rejecting a finding or accepting its risk makes gates ignore it, so it needs the permission `finding.judge`.

    Args:
        skip: Leave out findings on which nobody can decide (closed, or not tracked) instead of refusing all.
    Raises: NotPermitted, DatasetNotFound, FindingNotFound, DecisionInvalid.
    """
    dataset = refs.split_name(name)[0]
    permission = Permission.FINDING_JUDGE if decision.state in _JUDGEMENTS else Permission.FINDING_TRIAGE
    store.guard.require(actor, permission, dataset=dataset)
    decision.check(now_us())
    with store.catalog.write(actor, f"finding.{decision.state}", subject=dataset) as tx:
        info = refs.dataset(tx.conn, dataset)
        wanted = tuple(dict.fromkeys(keys))
        tracked_ = repository.tracked_findings(tx.conn, info.id, FindingFilter(keys=wanted)) if wanted else {}
        changes, skipped, at_us = StateChanges(), {}, now_us()
        for key in wanted:
            if key in tracked_ and not (skip and tracked_[key].state is State.CLOSED):
                after, event = tracked_[key].decided(decision, actor.name, at_us)
                changes.changed.append(after)
                changes.events.append(event)
            elif not skip:
                raise FindingNotFound(dataset=dataset, got=key[:80])
            else:
                skipped[key] = (
                    _CLOSED if key in tracked_ else "it is not tracked: it was found on a tag or commit"
                )
        decided_keys = [finding.key for finding in changes.changed]
        decision_id = undoing.remember(
            tx.conn, info.id, [tracked_[key] for key in decided_keys], changes, actor
        )
        repository.save_changes(tx.conn, info.id, changes)
        details = {"findings": len(decided_keys), "keys": decided_keys[:100]}
        tx.details({**details, "note": decision.note[:400], "to": decision.assignee})
    return Decided(decision_id, tuple(changes.changed), skipped)


@verb
def history(actor: Actor, name: str, key: str, *, store: Store) -> tuple[TrackedFinding, list[Event]]:
    """A finding and its events, oldest first.

    Raises: NotPermitted, DatasetNotFound, FindingNotFound.
    """
    dataset = refs.split_name(name)[0]
    (full_key,) = keys_of(actor, name, FindingFilter(keys=(key,)), store=store)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        tracked_ = repository.tracked_findings(conn, info.id, FindingFilter(keys=(full_key,)))
        return tracked_[full_key], repository.history(conn, info.id, full_key)


@verb
def precision(actor: Actor, name: str, *, store: Store) -> dict[str, Precision]:
    """Check -> precision, for checks with judged findings.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        verdicts = repository.verdicts(conn, refs.dataset(conn, dataset).id)
    return {check: precision_of(check, judgements) for check, judgements in sorted(verdicts.items())}


@verb
def state_counts(actor: Actor, name: str, *, store: Store) -> dict[str, dict[str, int]]:
    """Check -> state -> number of findings.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        return repository.counts(conn, refs.dataset(conn, dataset).id)


__all__ = [
    "Decided",
    "Decision",
    "FindingFilter",
    "FindingNotFound",
    "FindingPage",
    "Judgement",
    "State",
    "history",
    "keys_of",
    "precision",
    "state_counts",
    "tracked",
    "triage",
]

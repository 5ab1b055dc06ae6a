"""The verbs on findings that live: list, decide, read the history, see how far a check can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calotype.datasets import refs
from calotype.findings import repository as lives
from calotype.findings.lifecycle import Decision, Event, Judgement, Life, Precision, Retest, State, precision
from calotype.findings.repository import Wanted
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import NotFound
from calotype.store import Store

MAX_PAGE = 10_000
EVERY = Wanted()
_JUDGEMENTS = (State.REJECTED, State.ACCEPTED)


class FindingNotFound(NotFound):
    """No finding with this key."""

    code = "finding-not-found"
    what = "{dataset} has no finding {got!r}"
    fix = "list them with `calotype findings {dataset}`; the first digits of a key are enough if no other begins so"


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of findings, and how many match in all."""

    total: int
    items: tuple[Life, ...]


def tracked(
    actor: Actor, name: str, wanted: Wanted = EVERY, *, store: Store, offset: int = 0, limit: int = 100
) -> Listed:
    """Findings of a dataset with their lives: worst first, then oldest first.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        limit = max(0, min(limit, MAX_PAGE))
        total, items = lives.page(conn, info.id, wanted, offset=max(0, offset), limit=limit)
    return Listed(total, tuple(items))


def keys_of(actor: Actor, name: str, wanted: Wanted, *, store: Store) -> tuple[str, ...]:
    """The keys of all findings that match, and that are not closed unless closed ones are asked for.

    A key may be given by its first digits. Raises: NotPermitted, DatasetNotFound, FindingNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        if not wanted.keys:
            found = lives.lives(conn, info.id, wanted)
            return tuple(key for key, one in found.items() if wanted.states or one.state is not State.CLOSED)
        every = sorted(lives.lives(conn, info.id, Wanted()))
    return tuple(_whole(every, key, dataset) for key in wanted.keys)


def _whole(every: Sequence[str], key: str, dataset: str) -> str:
    matches = [one for one in every if one.startswith(key)] if len(key) >= 4 else []
    if len(matches) != 1:
        raise FindingNotFound(dataset=dataset, got=key[:80])
    return matches[0]


def triage(
    actor: Actor, name: str, keys: Sequence[str], decision: Decision, *, store: Store
) -> tuple[Life, ...]:
    """Decide on findings: all of them or none.

    Whoever rejects a finding or accepts its risk takes it out of the gates, and needs the permission for that.

    Raises: NotPermitted, DatasetNotFound, FindingNotFound, DecisionInvalid.
    """
    dataset = refs.split_name(name)[0]
    asked = Permission.FINDING_JUDGE if decision.state in _JUDGEMENTS else Permission.FINDING_TRIAGE
    store.guard.require(actor, asked, dataset=dataset)
    decision.check(now_us())
    with store.catalog.write(actor, f"finding.{decision.state}", subject=dataset) as tx:
        info = refs.dataset(tx.conn, dataset)
        found = lives.lives(tx.conn, info.id, Wanted(keys=tuple(dict.fromkeys(keys))))
        done = Retest()
        for key in dict.fromkeys(keys):
            if key not in found:
                raise FindingNotFound(dataset=dataset, got=key[:80])
            after, event = found[key].decided(decision, actor.name, now_us())
            done.changed.append(after)
            done.events.append(event)
        lives.keep(tx.conn, info.id, done)
        told = {"findings": len(done.changed), "keys": [one.key for one in done.changed[:100]]}
        tx.details({**told, "note": decision.note[:400], "to": decision.assignee})
    return tuple(done.changed)


def history(actor: Actor, name: str, key: str, *, store: Store) -> tuple[Life, list[Event]]:
    """A finding as it is, and what happened to it, oldest first.

    Raises: NotPermitted, DatasetNotFound, FindingNotFound.
    """
    dataset = refs.split_name(name)[0]
    (whole,) = keys_of(actor, name, Wanted(keys=(key,)), store=store)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        found = lives.lives(conn, info.id, Wanted(keys=(whole,)))
        return found[whole], lives.history(conn, info.id, whole)


def trust(actor: Actor, name: str, *, store: Store) -> dict[str, Precision]:
    """Check -> how often people confirmed what it found, of the checks that anybody judged.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        judged = lives.verdicts(conn, refs.dataset(conn, dataset).id)
    return {check: precision(check, verdicts) for check, verdicts in sorted(judged.items())}


def state_counts(actor: Actor, name: str, *, store: Store) -> dict[str, dict[str, int]]:
    """Check -> state -> how many findings.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        return lives.counts(conn, refs.dataset(conn, dataset).id)


__all__ = [
    "Decision",
    "FindingNotFound",
    "Judgement",
    "Listed",
    "State",
    "Wanted",
    "history",
    "keys_of",
    "state_counts",
    "tracked",
    "triage",
    "trust",
]

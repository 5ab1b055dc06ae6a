"""Undo of the last thing that a person did about findings, whatever it was: a decision or a fix."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.commits import MAIN, DatasetInfo
from calotype.findings import fixes, repository, undoing
from calotype.findings.lifecycle import State
from calotype.findings.repository import FindingFilter, Fix
from calotype.findings.undoing import ActionUndone, Undone
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.verbs import verb
from calotype.store import Store

_JUDGED = (State.REJECTED, State.ACCEPTED)


@verb
def undo(actor: Actor, name: str, action_id: str = "", *, store: Store) -> Undone:
    """Undo a decision or a fix; by default the newest of this actor. Each can be undone once, in any order.

    A decision is undone by restoring the states before it, as new events; findings that changed since are skipped. The
    rows of a fix are restored in the working state; after a commit this is an edit for the next commit.

    Raises: NotPermitted, DatasetNotFound, ActionUndone, FixOutdated.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.FINDING_TRIAGE, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        action = _action(conn, info, action_id, actor)
    if action.state == "applied":
        committed = _is_committed(actor, dataset, action, store)
        undone = fixes.undo_fix(actor, name, action.id, store=store)
        return Undone(undone.id, "fix", undone.keys, undone.left_out, committed)
    return _undo_decision(actor, info, action, store)


def _action(conn: sa.Connection, info: DatasetInfo, action_id: str, actor: Actor) -> Fix:
    if not action_id:
        action = repository.newest_action(conn, info.id, actor.name)
    else:
        action = repository.fix(conn, info.id, action_id)
    if action is None or action.state not in ("applied", "decided"):
        detail = f"{actor.name} has decided and fixed nothing that is not undone"
        raise ActionUndone(dataset=info.name, detail=detail)
    return action


def _undo_decision(actor: Actor, info: DatasetInfo, action: Fix, store: Store) -> Undone:
    with store.catalog.write(actor, "finding.undo-decision", subject=info.name) as tx:
        tracked = repository.tracked_findings(tx.conn, info.id, FindingFilter(keys=action.keys))
        changes, skipped = undoing.restored(action, tracked, actor, f"decision {action.id}")
        if any(after.state in _JUDGED for after in changes.changed):
            store.guard.require(actor, Permission.FINDING_JUDGE, dataset=info.name)
        repository.save_changes(tx.conn, info.id, changes)
        repository.set_applied(tx.conn, action.id, undone_at_us=now_us())
        keys = tuple(after.key for after in changes.changed)
        tx.details({"decision": action.id, "findings": len(keys), "keys": list(keys[:100])})
    return Undone(action.id, "decision", keys, skipped)


def _is_committed(actor: Actor, dataset: str, action: Fix, store: Store) -> bool:
    """Whether the branch was committed after the fix: a commit takes all edits of its working state."""
    branch = "" if action.branch == MAIN else f"@{action.branch}+"
    commits = datasets.log(actor, f"{dataset}{branch}", store=store, limit=1)
    return bool(commits) and commits[0].created_at_us > action.at_us

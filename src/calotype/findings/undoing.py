"""Undoes what a person did about findings: a decision by restoring the former states, a fix by its own undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from calotype.findings import repository
from calotype.findings.lifecycle import Event, Judgement, State, StateChanges, TrackedFinding
from calotype.findings.repository import Fix
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict
from calotype.foundation.ids import uuid7

_STORED = ("state", "assignee", "verdict", "note", "until_us", "changed_at_us")


class ActionUndone(Conflict):
    """There is nothing of this actor to undo, or every finding was changed since."""

    code = "finding-undo-empty"
    what = "nothing to undo in {dataset}: {detail}"
    fix = "list the findings with `calotype findings {dataset}` and decide again"


@dataclass(frozen=True, slots=True)
class Undone:
    """An action that was undone. `kind` is `decision` or `fix`.

    `committed` tells that the fix was part of a commit: its reversal is an edit of the working state, which the next
    commit records.
    """

    id: str
    kind: str
    keys: tuple[str, ...]
    skipped: Mapping[str, str]
    committed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "action": self.id,
            "kind": self.kind,
            "findings": list(self.keys),
            "skipped": dict(self.skipped),
            "committed": self.committed,
        }


def remember(
    conn: sa.Connection,
    dataset_id: str,
    before: Sequence[TrackedFinding],
    changes: StateChanges,
    actor: Actor,
    *,
    of_fix: str = "",
) -> str:
    """Store the states that a decision, or a fix, is about to replace. Returns: The id of the decision."""
    decision_id = states_of(of_fix) if of_fix else uuid7()
    stored = [_stored(old, new) for old, new in zip(before, changes.changed, strict=True)]
    branch = before[0].branch if before else ""
    keys = tuple(finding.key for finding in before)
    packed = msgspec.msgpack.encode(stored)
    repository.add_fix(
        conn,
        Fix(
            decision_id,
            dataset_id,
            branch,
            keys,
            packed,
            b"",
            "of-fix" if of_fix else "decided",
            actor.name,
            now_us(),
        ),
    )
    return decision_id


def states_of(fix_id: str) -> str:
    """The id under which the states before a fix are stored."""
    return f"{fix_id}-states"


def _stored(old: TrackedFinding, new: TrackedFinding) -> dict[str, Any]:
    return {
        "key": old.key,
        "before": {name: getattr(old, name) for name in _STORED},
        "decided_at_us": new.changed_at_us,
    }


def restored(
    decision: Fix, tracked: Mapping[str, TrackedFinding], actor: Actor, what: str
) -> tuple[StateChanges, dict[str, str]]:
    """The states before a decision, as new events, and key -> reason of findings that changed since it.

    Args:
        tracked: The findings of the decision, as they are now.
        what: The action in words, for the history.
    """
    changes, skipped, at_us = StateChanges(), {}, now_us()
    for stored in msgspec.msgpack.decode(decision.before):
        key, before = stored["key"], stored["before"]
        current = tracked.get(key)
        if current is None or current.changed_at_us != stored["decided_at_us"]:
            skipped[key] = "it was changed since"
            continue
        after = replace(
            current,
            state=State(before["state"]),
            assignee=before["assignee"],
            verdict=Judgement(before["verdict"]),
            note=before["note"],
            until_us=before["until_us"],
            changed_at_us=before["changed_at_us"],  # so that the decision before this one can be undone too
        )
        changes.changed.append(after)
        changes.events.append(
            Event(key, str(after.state), current.state, after.state, actor.name, at_us, f"undo of {what}")
        )
    return changes, skipped

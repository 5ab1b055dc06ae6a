"""What every verb that makes a commit needs: its refusals, its counts, its id, its tags on the tables."""

from __future__ import annotations

from typing import Any

from calotype.datasets.commits import Commit, Ref, commit_id
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict, Invalid
from calotype.store import Store


class NothingToCommit(Conflict):
    """The working state equals the newest commit."""

    code = "nothing-to-commit"
    what = "nothing changed in {dataset} since its newest commit"
    fix = "add or import something first; `calotype log {dataset}` lists the commits"


class WorkingStateDirty(Conflict):
    """There are edits that are not committed."""

    code = "working-state-dirty"
    what = "{branch} of {dataset} has edits that are not committed"
    fix = (
        "commit them with `calotype commit {dataset}@{branch} -m MESSAGE`, or lose them with "
        "`calotype rollback {dataset}@{branch} {branch} --discard`"
    )


class MessageInvalid(Invalid):
    """A commit without words."""

    code = "message-invalid"
    what = "a commit needs a message of 1 to 10000 characters"
    fix = 'say what changed: `calotype commit {dataset} -m "what changed and why"`'


def stats_of(snapshot: Snapshot) -> dict[str, Any]:
    """Samples and annotations of a state, the latter also by label set."""
    by_set = {name: snapshot.count(label_set=name)["annotations"] for name in snapshot.label_sets}
    samples = snapshot.count()["samples"]
    return {"samples": samples, "annotations": sum(by_set.values()), "label_sets": by_set}


def message_of(text: str, dataset: str) -> str:
    """The message of a commit without blanks around it. Raises: MessageInvalid."""
    if not 1 <= len(text.strip()) <= 10_000:
        raise MessageInvalid(dataset=dataset)
    return text.strip()


def is_clean(ref: Ref, head: Commit | None) -> bool:
    """Whether a branch has no edits beyond its newest commit."""
    if head is None:
        return not ref.pins and not ref.documents
    return (head.pins, head.documents) == (ref.pins, ref.documents)


def new_commit(actor: Actor, base: Ref, message: str, stats: Any, *, merged: str | None = None) -> Commit:
    """The commit of a branch's state; `merged` is its second parent."""
    parents = tuple(parent for parent in (base.commit_id, merged) if parent)
    at = now_us()
    made = commit_id(
        dataset_id=base.dataset_id,
        parents=parents,
        author=actor.name,
        message=message,
        created_at_us=at,
        pins=base.pins,
        documents=base.documents,
    )
    return Commit(
        made, base.dataset_id, parents, actor.name, message, at, base.pins, base.documents, dict(stats)
    )


def tag_tables(store: Store, made: Commit) -> None:
    """Keep the versions that a commit pins from being cleaned up."""
    for table, pin in made.pins.items():
        store.tables.tag(f"{made.dataset_id}/{table}", pin, f"c-{made.id[:32]}")

"""Shared steps of verbs that create a commit: errors, counts, the new commit, tags on its tables."""

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
    what = "{dataset} has no changes since its newest commit"
    fix = "add or import something first; `calotype log {dataset}` lists the commits"


class WorkingStateDirty(Conflict):
    """The branch has uncommitted edits."""

    code = "working-state-dirty"
    what = "{branch} of {dataset} has uncommitted edits"
    fix = (
        "commit them with `calotype commit {dataset}@{branch} -m MESSAGE`, or discard them with "
        "`calotype rollback {dataset}@{branch} {branch} --discard`"
    )


class MessageInvalid(Invalid):
    """A commit message that is empty or too long."""

    code = "message-invalid"
    what = "a commit needs a message of 1 to 10000 characters"
    fix = 'say what changed: `calotype commit {dataset} -m "what changed and why"`'


def stats_of(snapshot: Snapshot) -> dict[str, Any]:
    """Number of samples and annotations of a state, in total and by label set."""
    by_set = {name: snapshot.count(label_set=name)["annotations"] for name in snapshot.label_sets}
    samples = snapshot.count()["samples"]
    return {"samples": samples, "annotations": sum(by_set.values()), "label_sets": by_set}


def message_of(text: str, dataset: str) -> str:
    """The commit message without surrounding whitespace. Raises: MessageInvalid."""
    if not 1 <= len(text.strip()) <= 10_000:
        raise MessageInvalid(dataset=dataset)
    return text.strip()


def is_clean(ref: Ref, head: Commit | None) -> bool:
    """Whether a branch has no uncommitted edits."""
    if head is None:
        return not ref.pins and not ref.documents
    return (head.pins, head.documents) == (ref.pins, ref.documents)


def new_commit(actor: Actor, base: Ref, message: str, stats: Any, *, merged: str | None = None) -> Commit:
    """A commit of the working state of a branch; `merged` is its second parent."""
    parents = tuple(parent for parent in (base.commit_id, merged) if parent)
    created_at_us = now_us()
    new_id = commit_id(
        dataset_id=base.dataset_id,
        parents=parents,
        author=actor.name,
        message=message,
        created_at_us=created_at_us,
        pins=base.pins,
        documents=base.documents,
    )
    return Commit(
        new_id,
        base.dataset_id,
        parents,
        actor.name,
        message,
        created_at_us,
        base.pins,
        base.documents,
        dict(stats),
    )


def tag_tables(store: Store, commit: Commit) -> None:
    """Tag the table versions that a commit pins, so that cleanup keeps them."""
    for table, pin in commit.pins.items():
        store.tables.tag(f"{commit.dataset_id}/{table}", pin, f"c-{commit.id[:32]}")

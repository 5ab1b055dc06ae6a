"""What a release would hold: changes that are not committed yet, and what differs from the release before it."""

from __future__ import annotations

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.commits import MAIN
from calotype.foundation.actor import Actor
from calotype.release import repository
from calotype.release.model import Plan, Release, Since
from calotype.store import Store


def plan(actor: Actor, name: str, *, store: Store) -> Plan:
    """What a release of the working state of a branch (`dataset` or `dataset@branch`) would hold.

    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    dataset, branch = refs.split_name(name)
    branch = branch.removesuffix("+") or MAIN
    uncommitted = datasets.uncommitted(actor, f"{dataset}@{branch}", store=store)
    counts = datasets.read(actor, f"{dataset}@{branch}+", store=store).count()
    return Plan(
        counts["samples"],
        counts["annotations"],
        uncommitted,
        since_previous(actor, dataset, f"{branch}+", store=store),
    )


def since_previous(actor: Actor, dataset: str, ref: str, *, store: Store) -> Since | None:
    """What differs between the newest release of a dataset and a ref of it; None before the first release.

    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    previous = newest(store, dataset)
    if previous is None:
        return None
    changes = datasets.diff(actor, dataset, previous.commit_id, ref, store=store)
    before, after = (
        datasets.read(actor, f"{dataset}@{ref_}", store=store).documents for ref_ in (previous.commit_id, ref)
    )
    differing = (name for name in {**before, **after} if before.get(name) != after.get(name))
    return Since(previous.version, previous.commit_id, changes, tuple(sorted(differing)))


def newest(store: Store, dataset: str) -> Release | None:
    """The release that was recorded last."""
    with store.catalog.read() as conn:
        return next(iter(repository.list_all(conn, refs.dataset(conn, dataset))), None)

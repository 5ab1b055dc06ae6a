"""The verbs of saved views: save, list, show, rename, delete."""

from __future__ import annotations

from dataclasses import asdict, replace

from calotype.browse.grid import SORTS, SortUnknown
from calotype.browse.views import repository
from calotype.browse.views.model import (
    MAX_VIEWS,
    SavedView,
    ViewExists,
    ViewNotFound,
    ViewsFull,
    ViewSpec,
    check_view_name,
)
from calotype.datasets import query, refs
from calotype.datasets.reading import read
from calotype.datasets.snapshot import compiler_of
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.verbs import verb
from calotype.store import Store

__all__ = ["delete_view", "rename_view", "save_view", "saved_view", "saved_views"]


@verb
def save_view(
    actor: Actor, name: str, view: str, spec: ViewSpec, *, store: Store, overwrite: bool = False
) -> SavedView:
    """Save a query with its order and display under a name, for all who may read the dataset.

    Args:
        view: The name; one that is taken needs `overwrite`.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, ViewNameInvalid, ViewExists, ViewsFull, ViewInvalid,
        SortUnknown, QueryInvalid, QueryFieldUnknown.
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset)
    check_view_name(view)
    checked = spec.checked()
    if checked.sort not in SORTS:
        raise SortUnknown(got=checked.sort[:80])
    state = read(actor, f"{dataset}@{checked.ref}" if checked.ref else dataset, store=store)
    if checked.where:
        compiler_of(state).compile(query.parse(checked.where))
    now = now_us()
    with store.catalog.write(actor, "view.save", subject=dataset) as tx:
        before = repository.view_of(tx.conn, state.dataset.id, view)
        if before is not None and not overwrite:
            raise ViewExists(dataset=dataset, name=view)
        if before is None and len(repository.views_of(tx.conn, state.dataset.id)) >= MAX_VIEWS:
            raise ViewsFull(dataset=dataset, limit=MAX_VIEWS)
        saved = SavedView(view, checked, actor.name, now, actor.name, now)
        if before is not None:
            saved = replace(saved, created_by=before.created_by, created_at_us=before.created_at_us)
        repository.put_view(tx.conn, state.dataset.id, saved)
        replaced = None if before is None else asdict(before.spec)
        tx.details({"view": view, "spec": asdict(checked), "replaced": replaced})
    return saved


@verb
def saved_views(actor: Actor, name: str, *, store: Store) -> list[SavedView]:
    """The saved views of a dataset, ordered by name. Raises: NotPermitted, DatasetNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        return repository.views_of(conn, refs.dataset(conn, dataset).id)


@verb
def saved_view(actor: Actor, name: str, view: str, *, store: Store) -> SavedView:
    """One saved view. Raises: NotPermitted, DatasetNotFound, ViewNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        found = repository.view_of(conn, refs.dataset(conn, dataset).id, view)
    if found is None:
        raise ViewNotFound(dataset=dataset, name=view[:200])
    return found


@verb
def rename_view(
    actor: Actor, name: str, view: str, new: str, *, store: Store, overwrite: bool = False
) -> SavedView:
    """Give a saved view another name; one that is taken needs `overwrite`, which deletes the view that had it.

    Raises: NotPermitted, DatasetNotFound, ViewNotFound, ViewNameInvalid, ViewExists.
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset)
    check_view_name(new)
    with store.catalog.write(actor, "view.rename", subject=dataset) as tx:
        dataset_id = refs.dataset(tx.conn, dataset).id
        found = repository.view_of(tx.conn, dataset_id, view)
        if found is None:
            raise ViewNotFound(dataset=dataset, name=view[:200])
        other = None if new == view else repository.view_of(tx.conn, dataset_id, new)
        if other is not None and not overwrite:
            raise ViewExists(dataset=dataset, name=new)
        renamed = replace(found, name=new, changed_by=actor.name, changed_at_us=now_us())
        repository.delete_view(tx.conn, dataset_id, view)
        repository.put_view(tx.conn, dataset_id, renamed)
        tx.details({"view": view, "new": new, "replaced": None if other is None else asdict(other.spec)})
    return renamed


@verb
def delete_view(actor: Actor, name: str, view: str, *, store: Store) -> SavedView:
    """Delete a saved view; returns what it was. Raises: NotPermitted, DatasetNotFound, ViewNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset)
    with store.catalog.write(actor, "view.delete", subject=dataset) as tx:
        dataset_id = refs.dataset(tx.conn, dataset).id
        found = repository.view_of(tx.conn, dataset_id, view)
        if found is None:
            raise ViewNotFound(dataset=dataset, name=view[:200])
        repository.delete_view(tx.conn, dataset_id, view)
        tx.details({"view": view, "spec": asdict(found.spec)})
    return found

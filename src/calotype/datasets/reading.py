"""Opens a dataset at a ref."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.datasets import refs, repository
from calotype.datasets.commits import DatasetInfo, Ref
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.verbs import verb
from calotype.store import Store


@verb
def read(actor: Actor, name: str, *, store: Store) -> Snapshot:
    """Open the dataset `name` or `name@ref` (the syntax is described in `refs`).

    Raises: NotPermitted, DatasetNotFound, RefNotFound, RefAmbiguous.
    """
    dataset_name, ref_text = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        return open_ref(conn, store, info, refs.resolve(conn, info, ref_text), name=ref_text)


def open_ref(conn: sa.Connection, store: Store, info: DatasetInfo, ref: Ref, *, name: str) -> Snapshot:
    """The snapshot of a resolved ref."""
    bodies = {}
    for kind, sha256 in ref.documents.items():
        body = repository.document(conn, sha256)
        if body is not None:
            bodies[kind] = body
    return Snapshot(
        store,
        dataset=info,
        ref=name,
        commit_id=ref.commit_id,
        pins=ref.pins,
        documents=ref.documents,
        bodies=bodies,
    )

"""Catalog queries of browse: saved views."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from calotype.browse.views.model import SavedView, ViewSpec
from calotype.store.catalog import schema

_VIEWS = schema.saved_views


def put_view(conn: sa.Connection, dataset_id: str, view: SavedView) -> None:
    """Insert a saved view, or replace the one of this name."""
    delete_view(conn, dataset_id, view.name)
    spec = view.spec
    values = {
        "name": view.name,
        "query": spec.where,
        "sort": spec.sort,
        "label_set": spec.label_set,
        "ref": spec.ref,
        "within": spec.within,
        "display": {
            "size_px": spec.size_px,
            "hidden": list(spec.hidden),
            "show": spec.show,
            "of_class": spec.of_class,
            "colour": spec.colour,
            "beside": spec.beside,
            "against": spec.against,
        },
        "created_by": view.created_by,
        "created_at_us": view.created_at_us,
        "changed_by": view.changed_by,
        "changed_at_us": view.changed_at_us,
    }
    conn.execute(_VIEWS.insert().values(dataset_id=dataset_id, **values))


def delete_view(conn: sa.Connection, dataset_id: str, name: str) -> None:
    """Delete a saved view, if there is one of this name."""
    conn.execute(_VIEWS.delete().where(_VIEWS.c.dataset_id == dataset_id, _VIEWS.c.name == name))


def view_of(conn: sa.Connection, dataset_id: str, name: str) -> SavedView | None:
    """One saved view."""
    query = sa.select(_VIEWS).where(_VIEWS.c.dataset_id == dataset_id, _VIEWS.c.name == name)
    row = conn.execute(query).mappings().first()
    return None if row is None else _view(row)


def views_of(conn: sa.Connection, dataset_id: str) -> list[SavedView]:
    """The saved views of a dataset, ordered by name without regard to upper and lower case."""
    rows = conn.execute(sa.select(_VIEWS).where(_VIEWS.c.dataset_id == dataset_id)).mappings()
    return sorted(map(_view, rows), key=lambda view: (view.name.casefold(), view.name))


def _view(row: Any) -> SavedView:
    display = row["display"]
    spec = ViewSpec(
        row["query"],
        row["sort"],
        row["label_set"],
        row["ref"],
        row["within"],
        display["size_px"],
        tuple(display["hidden"]),
        display["show"],
        display["of_class"],
        display["colour"],
        display["beside"],
        display["against"],
    )
    return SavedView(
        row["name"],
        spec,
        row["created_by"],
        row["created_at_us"],
        row["changed_by"],
        row["changed_at_us"],
    )

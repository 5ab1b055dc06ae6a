"""Worlds of `histories` in a real store: written by edits, read back as plain rows."""

from __future__ import annotations

import pyarrow as pa
from tests.support.histories import World, side_of

from calotype.datasets import rows, service
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.foundation.actor import Actor
from calotype.store import Store
from calotype.vision.ontology import Ontology

LABEL_SETS = {"ground_truth": "ann/ground_truth", "model": "ann/model"}


def write(actor: Actor, store: Store, name: str, old: World, new: World) -> None:
    """Edit a branch so that it goes from one world to another."""
    edits = side_of(old, new).edits
    put = {
        table: pa.Table.from_pylist([e.after for e in changed.values() if e.after], rows.schema_of(table))
        for table, changed in edits.items()
    }
    gone = {table: [key for key, e in changed.items() if e.after is None] for table, changed in edits.items()}
    change = Change(
        put_samples=put.get(rows.SAMPLES, ()),
        remove_samples=gone.get(rows.SAMPLES, ()),
        put_annotations={name: put[table] for name, table in LABEL_SETS.items() if table in put},
        remove_annotations={name: gone[table] for name, table in LABEL_SETS.items() if table in gone},
        ontology=None
        if old.documents.ontology == new.documents.ontology
        else Ontology.from_json(new.documents.ontology),
        contract=None if old.documents.contract == new.documents.contract else new.documents.contract,
    )
    apply(actor, name, change, store=store)


def tables_of(actor: Actor, store: Store, name: str) -> dict[str, dict[str, dict[str, object]]]:
    """All rows of a state by table and id, without provenance; tables without rows are left out."""
    state = service.read(actor, name, store=store)
    found = {}
    for table in (rows.SAMPLES, *LABEL_SETS.values()):
        listed = state.rows_of(table).to_pylist()
        key = rows.key_of(table)
        assert len({row[key] for row in listed}) == len(listed), "an id twice"
        if listed:
            found[table] = {
                row[key]: {k: v for k, v in row.items() if k not in rows.PROVENANCE} for row in listed
            }
    return found

"""The verbs of the ontology: show, set, compare and migrate it."""

from __future__ import annotations

from typing import Any

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.verbs import verb
from calotype.guidelines import facts, migrating, ontology_file, planning
from calotype.guidelines.model import ClassDiff, Migrated, Migration, MigrationInvalid
from calotype.store import Store


@verb
def show_ontology(actor: Actor, name: str, *, store: Store) -> dict[str, Any]:
    """The classes of a state: `classes` as `facts.class_cards`, each with retired and split_into; `closed`.

    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    ontology = datasets.read(actor, name, store=store).ontology
    cards = facts.class_cards(ontology)
    for card, class_ in zip(cards, ontology.classes, strict=True):
        parts = [ontology.by_id(class_id) for class_id in class_.split_into]
        card |= {
            "supercategory": class_.supercategory,
            "retired": class_.retired,
            "split_into": [part.name for part in parts if part is not None],
        }
    return {"dataset": refs.split_name(name)[0], "closed": ontology.closed, "classes": cards}


@verb
def set_ontology(
    actor: Actor, name: str, text: str, *, store: Store, file: str = "classes", dry_run: bool = False
) -> tuple[ClassDiff, ...]:
    """Change definitions, colours, keys, tools, attributes and skeletons of classes by a YAML text, as one edit.

    Classes that the text does not name stay as they are; new names are added. Labels are not changed.

    Returns: What changed.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, OntologyInvalid, WorkingStateMoved.
    """
    store.guard.require(actor, Permission.GUIDELINE_EDIT, dataset=refs.split_name(name)[0])
    ontology_file.parse(text, file=file)
    changes: list[tuple[ClassDiff, ...]] = []
    details: dict[str, Any] = {}

    def change(snapshot: Snapshot) -> Change:
        new = ontology_file.applied(snapshot.ontology, text, file=file)
        changes[:] = [ontology_file.diff(snapshot.ontology, new)]
        details["what"] = f"changed {len(changes[0])} classes of the ontology"
        return Change(ontology=new)

    if dry_run:
        change(datasets.read(actor, name, store=store))
    else:
        datasets.apply(actor, name, change, store=store, verb="ontology.set", details=details)
    return changes[0]


@verb
def diff_ontologies(actor: Actor, name: str, a: str, b: str, *, store: Store) -> tuple[ClassDiff, ...]:
    """What changed in the ontology from ref `a` to ref `b`; an empty ref is the working state of main.

    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    dataset = refs.split_name(name)[0]
    before, after = (datasets.read(actor, f"{dataset}@{ref}", store=store) for ref in (a, b))
    return ontology_file.diff(before.ontology, after.ontology)


@verb
def migrate_ontology(
    actor: Actor, name: str, migration: Migration, *, store: Store, dry_run: bool = True
) -> Migrated:
    """Rename, merge, split or retire classes and change attributes, with the labels of all label sets, as one edit.

    Labels on copies of samples are migrated too. A dry run counts, and changes nothing.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, ClassUnknown, ClassExists, MigrationInvalid,
        WorkingStateMoved.
    """
    permission = Permission.DATASET_READ if dry_run else Permission.GUIDELINE_EDIT
    store.guard.require(actor, permission, dataset=refs.split_name(name)[0])
    if migration.is_empty:
        raise MigrationInvalid(detail="it names no change", hint="use --rename, --merge, --split or --retire")
    if dry_run:
        snapshot = datasets.read(actor, name, store=store)
        planned = planning.plan(snapshot.ontology, migration)
        return migrating.report(planned, migrating.parts_of(snapshot, planned), applied=False)
    reports: list[Migrated] = []
    details: dict[str, Any] = {}

    def change(snapshot: Snapshot) -> Change:
        planned = planning.plan(snapshot.ontology, migration)
        parts = migrating.parts_of(snapshot, planned)
        reports[:] = [migrating.report(planned, parts, applied=True)]
        done = "; ".join(f"{one.name} {one.action}" for one in reports[0].classes[:5])
        details.update(what=f"ontology: {done}", written=reports[0].written, deleted=reports[0].deleted)
        return migrating.change_of(store, snapshot, planned, parts)

    datasets.apply(actor, name, change, store=store, verb="ontology.migrate", details=details)
    return reports[0]

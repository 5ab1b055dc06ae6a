"""The verbs of transformation: pixels by a deterministic recipe, classes by a mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation
from calotype.datasets.refs import DatasetNotFound
from calotype.datasets.rows import annotations_from_arrow
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.transform import recipe_derive, recipe_plan
from calotype.transform.model import (
    ClassMapping,
    ClassMappingInvalid,
    ClassMove,
    MappedOntology,
    RecipeRandom,
    TargetHasOwnSamples,
    map_ontology,
)
from calotype.transform.recipe import Recipe, parse
from calotype.transform.recipe_derive import Derived, Job, ShouldStop
from calotype.transform.recipe_plan import Scope, WorkItem, Worklist

__all__ = ["ClassMapping", "Derived", "WorkItem", "Worklist", "map_classes", "plan", "process", "transform"]

RecipeSource = str | Mapping[str, Any] | Recipe


def transform(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    *,
    store: Store,
    into: str = "",
    where: Where = None,
    label_sets: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make one transformed sample of every matching sample, with its annotations.

    The transformed samples live beside their parents, or alone in the dataset `into`, which is made when
    missing, gets the classes of the source, and takes its derived samples as well. As with `augment`, only
    what is missing or out of date is made.

    Args:
        actor: Who asks.
        name: The dataset, or `dataset@branch`; with `into` any ref.
        recipe: A recipe without random numbers, its mapping or its YAML text.
        store: The open workspace.
        into: The dataset that takes the transformed samples ("": the same one).
        where: Only samples that match this query.
        label_sets: Whose annotations move along (None: all).
        splits: Whose samples are taken (None: all; "" is no split).
        progress: Told after each chunk.
        should_stop: Asked before each chunk.
    Raises:
        NotPermitted, DatasetNotFound, RefNotFound, RecipeInvalid, RecipeRandom, TargetHasOwnSamples,
        QueryInvalid, QueryFieldUnknown, LabelSetNotFound, WorkingStateMoved.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=(into or name).partition("@")[0])
    parsed = _fixed(recipe)
    source = datasets.read(actor, name, store=store)
    target = _target(actor, source, into, store=store, make=True)
    worklist = recipe_plan.plan(source, parsed, _scope(where, splits, label_sets), target=target)
    job = Job(name, parsed, worklist.label_sets, into=into, verb="transform.run")
    return recipe_derive.run(actor, job, worklist, store=store, progress=progress, should_stop=should_stop)


def plan(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    *,
    store: Store,
    into: str = "",
    where: Where = None,
    label_sets: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
) -> Worklist:
    """What `transform` would make and remove now. Changes nothing; `into` has to be there already.

    Raises: as `transform`.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=name.partition("@")[0])
    source = datasets.read(actor, name, store=store)
    target = _target(actor, source, into, store=store, make=False)
    return recipe_plan.plan(source, _fixed(recipe), _scope(where, splits, label_sets), target=target)


def process(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    items: Sequence[WorkItem],
    *,
    store: Store,
    label_sets: Sequence[str],
    into: str = "",
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make and publish the samples of one shard of a plan. `label_sets` are the plan's.

    Raises: as `transform`.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=(into or name).partition("@")[0])
    job = Job(name, _fixed(recipe), tuple(label_sets), into=into, verb="transform.run")
    return recipe_derive.process(actor, job, items, store=store, progress=progress, should_stop=should_stop)


def map_classes(
    actor: Actor, name: str, mapping: Mapping[str, str | None], *, store: Store, dry_run: bool = True
) -> ClassMapping:
    """Rename, merge or drop classes in all label sets, as one edit; a dry run only counts.

    Args:
        actor: Who asks.
        name: The dataset, or `dataset@branch`.
        mapping: Old class name -> new one, or None to drop the class with its annotations. All at once.
        store: The open workspace.
        dry_run: Count and change nothing.
    Raises:
        NotPermitted, DatasetNotFound, RefNotFound, ClassUnknown, ClassMappingInvalid, WorkingStateMoved.
    """
    needed = Permission.DATASET_READ if dry_run else Permission.DATASET_EDIT
    store.guard.require(actor, needed, dataset=name.partition("@")[0])
    if not mapping:
        raise ClassMappingInvalid(where="mapping", detail="it is empty")
    if dry_run:
        snapshot = datasets.read(actor, name, store=store)
        return _report(snapshot, mapping, map_ontology(snapshot.ontology, mapping), applied=False)
    reports: list[ClassMapping] = []
    facts: dict[str, Any] = {"mapping": dict(mapping)}

    def change(snapshot: Snapshot) -> Change:
        mapped = map_ontology(snapshot.ontology, mapping)
        report = _report(snapshot, mapping, mapped, applied=True)
        reports[:] = [report]
        facts.update(moved=report.moved, dropped=report.dropped)
        return _edit(snapshot, mapped)

    datasets.apply(actor, name, change, store=store, verb="transform.map_classes", details=facts)
    return reports[0]


def _edit(snapshot: Snapshot, mapped: MappedOntology) -> Change:
    put: dict[str, list[Annotation]] = {}
    gone: dict[str, list[str]] = {}
    for label_set in snapshot.label_sets if mapped.class_ids else ():
        table = snapshot.annotations(label_set)
        for annotation in annotations_from_arrow(table):
            if annotation.class_id not in mapped.class_ids:
                continue
            class_id = mapped.class_ids[annotation.class_id]
            if class_id is None:
                gone.setdefault(label_set, []).append(annotation.ann_id)
            else:
                put.setdefault(label_set, []).append(replace(annotation, class_id=class_id))
    return Change(put_annotations=put, remove_annotations=gone, ontology=mapped.ontology)


def _report(
    snapshot: Snapshot, mapping: Mapping[str, str | None], mapped: MappedOntology, *, applied: bool
) -> ClassMapping:
    counts = {
        name: Counter(snapshot.annotations(name, columns=["class_id"])["class_id"].to_pylist())
        for name in snapshot.label_sets
    }
    moves = []
    for old, action in mapped.actions.items():
        found = snapshot.ontology.by_name(old)
        by_set = {name: of_set[found.id] for name, of_set in counts.items() if found and of_set[found.id]}
        moves.append(ClassMove(old, mapping[old], action, by_set))
    return ClassMapping(tuple(moves), mapped.new_classes, applied)


def _fixed(recipe: RecipeSource) -> Recipe:
    parsed = parse(recipe)
    if parsed.random_steps:
        raise RecipeRandom(where=f"recipe {parsed.name}", step=parsed.random_steps[0], recipe=parsed.name)
    return parsed


def _scope(where: Where, splits: Sequence[str] | None, label_sets: Sequence[str] | None) -> Scope:
    chosen = None if label_sets is None else tuple(label_sets)
    return Scope(where, None if splits is None else tuple(splits), chosen)


def _target(actor: Actor, source: Snapshot, into: str, *, store: Store, make: bool) -> Snapshot | None:
    """The dataset that takes the samples; None when it is the source itself."""
    if not into:
        return None
    try:
        target = datasets.read(actor, into, store=store)
    except DatasetNotFound:
        if not make:
            raise
        datasets.create(actor, into, store=store, description=f"transformed from {source.dataset.name}")
        target = datasets.read(actor, into, store=store)
    parents = set(target.samples(columns=["parent_id"])["parent_id"].to_pylist())
    if target.dataset.id == source.dataset.id or "" in parents:
        raise TargetHasOwnSamples(where=f"dataset {into}", into=into, name=source.dataset.name)
    return target

"""The verbs of the room: augment and transform images by a recipe, map classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Split
from calotype.datasets.refs import DatasetNotFound
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.transform import class_mapping, recipe_derive, recipe_plan
from calotype.transform.model import (
    ClassMapping,
    ClassMappingInvalid,
    RecipeRandom,
    TargetHasOwnSamples,
    map_ontology,
)
from calotype.transform.recipe import Recipe, parse
from calotype.transform.recipe_derive import Derived, Job, ShouldStop
from calotype.transform.recipe_plan import Scope, WorkItem, Worklist

__all__ = [
    "TRAINING",
    "ClassMapping",
    "Derived",
    "Scope",
    "WorkItem",
    "Worklist",
    "augment",
    "map_classes",
    "plan_augment",
    "plan_transform",
    "process_augment",
    "process_transform",
    "transform",
]

TRAINING = Scope(splits=(str(Split.TRAIN), ""))
"""Training samples, and samples without a split; never validation or test samples."""

ALL = Scope()
"""All samples with all their annotations."""

RecipeSource = str | Mapping[str, Any] | Recipe
"""A recipe, its mapping or its YAML text."""


@verb
def augment(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    *,
    store: Store,
    scope: Scope = TRAINING,
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make a recipe's copies of samples, with their annotations, in the same dataset.

    Only missing and outdated copies are made, so a second run changes nothing. A copy is made again when its parent's
    image, annotations or metadata changed, and removed when its parent was removed or left the splits of `scope`. An
    interrupted run resumes after the last published chunk.

    Args:
        actor: Who asks.
        name: The dataset, or `dataset@branch`.
        recipe: The recipe.
        store: The open workspace.
        scope: Which samples to copy, with the annotations of which label sets.
        progress: Called after each chunk.
        should_stop: Called before each chunk; the run ends when it returns true.
    Raises:
        NotPermitted, DatasetNotFound, RefNotFound, RecipeInvalid, QueryInvalid, QueryFieldUnknown,
        LabelSetNotFound, WorkingStateMoved.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=name.partition("@")[0])
    parsed = parse(recipe)
    worklist = recipe_plan.plan(datasets.read(actor, name, store=store), parsed, scope)
    job = Job(name, parsed, worklist.label_sets, verb="augment.run")
    return recipe_derive.run(actor, job, worklist, store=store, progress=progress, should_stop=should_stop)


@verb
def plan_augment(
    actor: Actor, name: str, recipe: RecipeSource, *, store: Store, scope: Scope = TRAINING
) -> Worklist:
    """What `augment` would make and remove now. Changes nothing; parts of it can go to `process_augment`.

    Raises: as `augment`.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=name.partition("@")[0])
    return recipe_plan.plan(datasets.read(actor, name, store=store), parse(recipe), scope)


def process_augment(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    worklist: Worklist,
    *,
    store: Store,
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make and publish the copies that a plan, or a part of one, lists; its removals are left to `augment`.

    Raises: as `augment`.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=name.partition("@")[0])
    job = Job(name, parse(recipe), worklist.label_sets, verb="augment.run")
    return recipe_derive.process(
        actor, job, worklist.items, store=store, progress=progress, should_stop=should_stop
    )


@verb
def transform(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    *,
    store: Store,
    into: str = "",
    scope: Scope = ALL,
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make one transformed sample of each sample, with its annotations.

    The transformed samples are added to the same dataset, or to the dataset `into`, which is created when missing, gets
    the classes of the source and holds transformed samples only. As with `augment`, only missing and outdated samples
    are made. With `into`, derived samples are transformed as well.

    Args:
        actor: Who asks.
        name: The dataset, or `dataset@branch`; with `into` any ref.
        recipe: A recipe without random values.
        store: The open workspace.
        into: The dataset for the transformed samples ("": the same one).
        scope: Which samples to transform, with the annotations of which label sets.
        progress: Called after each chunk.
        should_stop: Called before each chunk; the run ends when it returns true.
    Raises:
        NotPermitted, DatasetNotFound, RefNotFound, RecipeInvalid, RecipeRandom, TargetHasOwnSamples,
        QueryInvalid, QueryFieldUnknown, LabelSetNotFound, WorkingStateMoved.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=(into or name).partition("@")[0])
    parsed = _without_random(recipe)
    source = datasets.read(actor, name, store=store)
    target = _target(actor, source, into, store=store, create=True)
    worklist = recipe_plan.plan(source, parsed, scope, target=target)
    job = Job(name, parsed, worklist.label_sets, into=into, verb="transform.run")
    return recipe_derive.run(actor, job, worklist, store=store, progress=progress, should_stop=should_stop)


@verb
def plan_transform(
    actor: Actor, name: str, recipe: RecipeSource, *, store: Store, into: str = "", scope: Scope = ALL
) -> Worklist:
    """What `transform` would make and remove now. Changes nothing; the dataset `into` must exist.

    Raises: as `transform`.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=name.partition("@")[0])
    parsed = _without_random(recipe)
    source = datasets.read(actor, name, store=store)
    target = _target(actor, source, into, store=store, create=False)
    return recipe_plan.plan(source, parsed, scope, target=target)


def process_transform(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    worklist: Worklist,
    *,
    store: Store,
    into: str = "",
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make and publish the samples that a plan, or a part of one, lists; its removals are left to `transform`.

    Raises: as `transform`.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=(into or name).partition("@")[0])
    job = Job(name, _without_random(recipe), worklist.label_sets, into=into, verb="transform.run")
    return recipe_derive.process(
        actor, job, worklist.items, store=store, progress=progress, should_stop=should_stop
    )


@verb
def map_classes(
    actor: Actor, name: str, mapping: Mapping[str, str | None], *, store: Store, dry_run: bool = True
) -> ClassMapping:
    """Rename, merge or drop classes in all label sets, as one edit; a dry run only counts.

    Args:
        actor: Who asks.
        name: The dataset, or `dataset@branch`.
        mapping: Old class name -> new one, or None to drop the class with its annotations.
        store: The open workspace.
        dry_run: Count, but change nothing.
    Raises:
        NotPermitted, DatasetNotFound, RefNotFound, ClassUnknown, ClassMappingInvalid, WorkingStateMoved.
    """
    permission = Permission.DATASET_READ if dry_run else Permission.DATASET_EDIT
    store.guard.require(actor, permission, dataset=name.partition("@")[0])
    if not mapping:
        raise ClassMappingInvalid(where="mapping", detail="it is empty")
    if dry_run:
        snapshot = datasets.read(actor, name, store=store)
        mapped = map_ontology(snapshot.ontology, mapping)
        return class_mapping.report(snapshot, mapping, mapped, applied=False)
    reports: list[ClassMapping] = []
    details: dict[str, Any] = {"mapping": dict(mapping)}

    def change(snapshot: Snapshot) -> Change:
        mapped = map_ontology(snapshot.ontology, mapping)
        report = class_mapping.report(snapshot, mapping, mapped, applied=True)
        reports[:] = [report]
        details.update(moved=report.moved, dropped=report.dropped)
        return class_mapping.edit(snapshot, mapped)

    datasets.apply(actor, name, change, store=store, verb="transform.map_classes", details=details)
    return reports[0]


def _without_random(recipe: RecipeSource) -> Recipe:
    parsed = parse(recipe)
    if parsed.random_steps:
        raise RecipeRandom(where=f"recipe {parsed.name}", step=parsed.random_steps[0], recipe=parsed.name)
    return parsed


def _target(actor: Actor, source: Snapshot, into: str, *, store: Store, create: bool) -> Snapshot | None:
    """The dataset for the transformed samples; None when it is the source itself."""
    if not into:
        return None
    try:
        target = datasets.read(actor, into, store=store)
    except DatasetNotFound:
        if not create:
            raise
        datasets.create(actor, into, store=store, description=f"transformed from {source.dataset.name}")
        target = datasets.read(actor, into, store=store)
    parents = set(target.samples(columns=["parent_id"])["parent_id"].to_pylist())
    if target.dataset.id == source.dataset.id or "" in parents:
        raise TargetHasOwnSamples(where=f"dataset {into}", into=into, name=source.dataset.name)
    return target

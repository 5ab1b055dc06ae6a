"""The verbs of augmentation. What a recipe is, and how one is followed, stands in `datasets/recipe*.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from calotype.datasets.model import Split
from calotype.datasets.reading import read
from calotype.datasets.snapshot import Where
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.transform import recipe_derive, recipe_plan
from calotype.transform.recipe import Recipe, parse
from calotype.transform.recipe_derive import Derived, Job, ShouldStop
from calotype.transform.recipe_plan import Scope, WorkItem, Worklist

__all__ = ["TRAINING", "Derived", "WorkItem", "Worklist", "augment", "plan", "process"]

TRAINING = (str(Split.TRAIN), "")
"""The splits whose samples are augmented: train, and samples without a split. Never what is tested on."""

RecipeSource = str | Mapping[str, Any] | Recipe


def augment(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    *,
    store: Store,
    where: Where = None,
    label_sets: Sequence[str] | None = None,
    splits: Sequence[str] | None = TRAINING,
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make the recipe's copies of every matching sample, with their annotations, in the same dataset.

    Only what is missing or out of date is made: a second run changes nothing. Copies follow their parents:
    made again when the image, its annotations or its facts changed, removed when the parent is gone or left
    `splits`. A run that is killed leaves whole chunks behind and the next one goes on from there.

    Args:
        actor: Who asks.
        name: The dataset, or `dataset@branch`.
        recipe: A recipe, its mapping or its YAML text.
        store: The open workspace.
        where: Only samples that match this query.
        label_sets: Whose annotations move along (None: all).
        splits: Whose samples are copied (None: all; "" is no split).
        progress: Told after each chunk.
        should_stop: Asked before each chunk.
    Raises:
        NotPermitted, DatasetNotFound, RefNotFound, RecipeInvalid, QueryInvalid, QueryFieldUnknown,
        LabelSetNotFound, WorkingStateMoved.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=name.partition("@")[0])
    parsed = parse(recipe)
    scope = Scope(where, None if splits is None else tuple(splits), _tuple(label_sets))
    worklist = recipe_plan.plan(read(actor, name, store=store), parsed, scope)
    job = Job(name, parsed, worklist.label_sets, verb="augment.run")
    return recipe_derive.run(actor, job, worklist, store=store, progress=progress, should_stop=should_stop)


def plan(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    *,
    store: Store,
    where: Where = None,
    label_sets: Sequence[str] | None = None,
    splits: Sequence[str] | None = TRAINING,
) -> Worklist:
    """What `augment` would make and remove now. Changes nothing; the items can be shared out to `process`.

    Raises: as `augment`.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=name.partition("@")[0])
    scope = Scope(where, None if splits is None else tuple(splits), _tuple(label_sets))
    return recipe_plan.plan(read(actor, name, store=store), parse(recipe), scope)


def process(
    actor: Actor,
    name: str,
    recipe: RecipeSource,
    items: Sequence[WorkItem],
    *,
    store: Store,
    label_sets: Sequence[str],
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make and publish the copies of one shard of a plan. `label_sets` are the plan's.

    Raises: as `augment`.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=name.partition("@")[0])
    job = Job(name, parse(recipe), tuple(label_sets), verb="augment.run")
    return recipe_derive.process(actor, job, items, store=store, progress=progress, should_stop=should_stop)


def _tuple(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)

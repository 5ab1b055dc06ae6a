"""The HTTP routes of transform: run or plan an augmentation, a transformation, a class mapping."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, action, room_routes
from calotype.transform import answers, service
from calotype.transform.recipe import MAX_TEXT, parse
from calotype.transform.service import Scope, Worklist

routes = room_routes("transform")

READ, EDIT = action(Permission.DATASET_READ), action(Permission.DATASET_EDIT)
MAX_MAPPING_BYTES = 8_000_000

Name = Annotated[str, Field(max_length=200)]
Names = Annotated[list[Name], Field(max_length=100)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Augmentation(_Body):
    """A recipe, and the samples to copy."""

    recipe: Annotated[dict[str, JsonValue], Field(max_length=100)] | Text = Field(
        description="The recipe as an object or as YAML text."
    )
    where: str | None = Field(None, max_length=10_000, description="Only samples that match this query.")
    splits: Names | None = Field(
        default=list(service.TRAINING.splits or ()),
        description='Only samples of these splits; "" is samples without one. Null: all.',
    )
    label_sets: Names | None = Field(None, description="Only annotations of these label sets. Null: all.")

    def scope(self) -> Scope:
        """The samples and annotations to copy."""
        chosen = None if self.label_sets is None else tuple(self.label_sets)
        return Scope(self.where, None if self.splits is None else tuple(self.splits), chosen)


class Transformation(Augmentation):
    """A recipe without random values, and the samples to transform."""

    splits: Names | None = Field(
        None, description='Only samples of these splits; "" is samples without one. Null: all.'
    )
    into: str = Field(
        "", max_length=100, description="The dataset for the transformed samples. Empty: the same one."
    )


class ClassMapping(_Body):
    """Old class name -> new one, or null to drop the class."""

    classes: dict[Name, Name | None] = Field(max_length=10_000)


@routes.post("/datasets/{dataset}/augmentations", **EDIT)
def augment(dataset: Named, body: Augmentation, ask: Ask) -> answers.DerivedSamples:
    """Make a recipe's copies of samples. Only missing and outdated copies are made."""
    derived = service.augment(ask.actor, dataset, body.recipe, store=ask.store, scope=body.scope())
    return answers.DerivedSamples.of(derived.to_dict())


@routes.post("/datasets/{dataset}/augmentations/plan", **READ)
def plan_augmentation(dataset: Named, body: Augmentation, ask: Ask) -> answers.DerivedPlan:
    """What an augmentation would do now. Changes nothing."""
    recipe = parse(body.recipe)
    worklist = service.plan_augment(ask.actor, dataset, recipe, store=ask.store, scope=body.scope())
    return _planned(recipe.label, worklist)


@routes.post("/datasets/{dataset}/transformations", **EDIT)
def transform(dataset: Named, body: Transformation, ask: Ask) -> answers.DerivedSamples:
    """Make one transformed sample of each sample. Only missing and outdated samples are made."""
    derived = service.transform(
        ask.actor, dataset, body.recipe, store=ask.store, into=body.into, scope=body.scope()
    )
    return answers.DerivedSamples.of(derived.to_dict())


@routes.post("/datasets/{dataset}/transformations/plan", **READ)
def plan_transformation(dataset: Named, body: Transformation, ask: Ask) -> answers.DerivedPlan:
    """What a transformation would do now. Changes nothing; the dataset `into` must exist."""
    recipe = parse(body.recipe)
    worklist = service.plan_transform(
        ask.actor, dataset, recipe, store=ask.store, into=body.into, scope=body.scope()
    )
    return _planned(recipe.label, worklist)


@routes.post(
    "/datasets/{dataset}/class-mappings", **action(Permission.DATASET_EDIT, max_body_bytes=MAX_MAPPING_BYTES)
)
def map_classes(dataset: Named, body: ClassMapping, ask: Ask) -> answers.ClassMappingReport:
    """Rename, merge or drop classes in all label sets, as one edit."""
    report = service.map_classes(ask.actor, dataset, body.classes, store=ask.store, dry_run=False)
    return answers.ClassMappingReport.of(report.to_dict())


@routes.post(
    "/datasets/{dataset}/class-mappings/plan",
    **action(Permission.DATASET_READ, max_body_bytes=MAX_MAPPING_BYTES),
)
def plan_class_mapping(dataset: Named, body: ClassMapping, ask: Ask) -> answers.ClassMappingReport:
    """What a class mapping would change. Changes nothing."""
    report = service.map_classes(ask.actor, dataset, body.classes, store=ask.store, dry_run=True)
    return answers.ClassMappingReport.of(report.to_dict())


def _planned(recipe: str, worklist: Worklist) -> answers.DerivedPlan:
    label_sets = list(worklist.label_sets)
    return answers.DerivedPlan.of(
        {"recipe": recipe, "dry_run": True, **worklist.counts(), "label_sets": label_sets}
    )

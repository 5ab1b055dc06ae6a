"""HTTP routes of guidelines and of the ontology."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.actor import Permission
from calotype.foundation.http import (
    Ask,
    Branch,
    Named,
    Offset,
    Ref,
    action,
    packed,
    packed_answer,
    room_routes,
)
from calotype.foundation.ids import canonical_json
from calotype.guidelines import answers, ontology_file, service
from calotype.guidelines.model import MAX_CHANGELOG, MAX_TEXT, MAX_TOUCHES, ClassDiff, Migration

routes = room_routes("guidelines")

READ, WRITE = action(Permission.DATASET_READ), action(Permission.GUIDELINE_EDIT)
LARGE = action(Permission.GUIDELINE_EDIT, max_body_bytes=4_000_000)
_HEAD = 100_000
"""Characters that a guideline's file may have beside its Markdown."""

Name = Annotated[str, Field(max_length=500)]
Place = Annotated[str, Field(max_length=1_000)]
Names = Annotated[list[Name], Field(max_length=1_000)]
Places = Annotated[list[Place], Field(max_length=1_000)]
Values = Annotated[dict[Name, Name], Field(max_length=1_000)]
Classes = Annotated[str, Body(media_type="application/yaml", max_length=ontology_file.MAX_TEXT)]
Version = Annotated[int, Query(ge=0, le=2**31 - 1, description="A version; 0 is the newest published one.")]
Earlier = Annotated[
    int, Query(ge=0, le=2**31 - 1, description="A version; 0 is the published one before `b`.")
]
LabelSet = Annotated[str, Query(max_length=200, description="The label set.")]
DryRun = Annotated[bool, Query(description="Say what would change, and change nothing.")]
Limit = Annotated[int, Query(ge=1, le=100_000, description="Largest number of ids.")]
OfClasses = Annotated[
    list[Name] | None, Query(max_length=1_000, description="Only these classes; default: all.")
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OntologyMigration(_Body):
    """Changes of the ontology, done in this order as one edit."""

    rename: Values = Field({}, description="Old name -> new name.")
    merge: dict[Name, Names] = Field(
        {}, max_length=1_000, description="Class that is kept -> classes that become it."
    )
    split: dict[Name, Names] = Field(
        {}, max_length=1_000, description="Class -> classes that its labels wait for."
    )
    retire: Names = Field([], description="Classes that take no new labels.")
    to: Name = Field("", description="Class that gets the labels of those that retire.")
    delete_labels: bool = Field(False, description="Delete the labels of those that retire.")
    rename_attributes: dict[Place, Name] = Field(
        {}, max_length=1_000, description="`class.attribute` -> new name."
    )
    drop_attributes: Places = Field([], description="`class.attribute`, no longer declared.")
    delete_values: bool = Field(False, description="Remove the values of dropped attributes.")
    fill_attributes: Places = Field(
        [], description="`class.attribute`, whose default fills what labels lack."
    )
    map_values: dict[Place, Values] = Field(
        {}, max_length=1_000, description="`class.attribute` -> old -> new value."
    )

    def migration(self) -> Migration:
        """As the verb takes it."""
        plain = self.model_dump()
        lists = {name: tuple(plain[name]) for name in ("retire", "drop_attributes", "fill_attributes")}
        joined = {name: {key: tuple(of) for key, of in plain[name].items()} for name in ("merge", "split")}
        return Migration(**{**plain, **lists, **joined})


class GuidelineDraft(_Body):
    """A draft; changelog and touches replace those of the text's head, if they are given."""

    text: str = Field(max_length=MAX_TEXT + _HEAD, description="Markdown, perhaps with a head in YAML.")
    touches: Annotated[list[Place], Field(max_length=MAX_TOUCHES)] = Field(
        [], description="`class` or `class.attribute`."
    )
    changelog: str = Field("", max_length=MAX_CHANGELOG)


class GuidelinePublication(_Body):
    """What is published: a text, or the draft where it is null."""

    text: str | None = Field(None, max_length=MAX_TEXT + _HEAD)
    touches: Annotated[list[Place], Field(max_length=MAX_TOUCHES)] = []
    changelog: str = Field("", max_length=MAX_CHANGELOG)


class Acknowledgement(_Body):
    """The version that was read; 0 is the newest."""

    version: int = Field(0, ge=0, le=2**31 - 1)


@routes.get("/datasets/{dataset}/ontology", **READ)
def show_ontology(dataset: Named, ask: Ask, ref: Ref = "") -> answers.Ontology:
    """Show the classes: definitions, colours, keys, tools, attributes, skeletons."""
    return answers.Ontology.of(service.show_ontology(ask.actor, _at(dataset, ref), store=ask.store))


@routes.put("/datasets/{dataset}/ontology", **LARGE)
def set_ontology(
    dataset: Named, ask: Ask, classes: Classes, branch: Branch = "", dry_run: DryRun = False
) -> answers.OntologyChanges:
    """Change definitions, colours, keys, tools, attributes and skeletons by a YAML text. Labels are not changed."""
    changes = service.set_ontology(ask.actor, _at(dataset, branch), classes, store=ask.store, dry_run=dry_run)
    return _changes(changes)


@routes.get("/datasets/{dataset}/ontology/diff", **READ)
def diff_ontologies(dataset: Named, ask: Ask, a: Ref = "main", b: Ref = "") -> answers.OntologyChanges:
    """What changed in the ontology from one ref to another."""
    changes = service.diff_ontologies(ask.actor, dataset, a, b, store=ask.store)
    return _changes(changes)


@routes.post("/datasets/{dataset}/ontology/migrations", **LARGE)
def migrate_ontology(
    dataset: Named, body: OntologyMigration, ask: Ask, branch: Branch = ""
) -> answers.Migrated:
    """Rename, merge, split or retire classes and change attributes, with all labels, as one edit."""
    done = service.migrate_ontology(
        ask.actor, _at(dataset, branch), body.migration(), store=ask.store, dry_run=False
    )
    return answers.Migrated.of(done.to_dict())


@routes.post(
    "/datasets/{dataset}/ontology/migrations/plan",
    **action(Permission.DATASET_READ, max_body_bytes=4_000_000),
)
def plan_ontology_migration(
    dataset: Named, body: OntologyMigration, ask: Ask, branch: Branch = ""
) -> answers.Migrated:
    """Count what a migration would do. Changes nothing."""
    planned = service.migrate_ontology(ask.actor, _at(dataset, branch), body.migration(), store=ask.store)
    return answers.Migrated.of(planned.to_dict())


@routes.get("/datasets/{dataset}/guidelines", **READ)
def list_guidelines(dataset: Named, ask: Ask) -> answers.GuidelineList:
    """List the versions of the guideline, newest first."""
    versions = service.guidelines(ask.actor, dataset, store=ask.store)
    return answers.GuidelineList.of({"items": [one.head() for one in versions]})


@routes.post("/datasets/{dataset}/guidelines", **LARGE)
def write_guideline(dataset: Named, body: GuidelineDraft, ask: Ask) -> answers.Guideline:
    """Write a draft of the next version."""
    draft = service.new_guideline(
        ask.actor, dataset, body.text, touches=body.touches, changelog=body.changelog, store=ask.store
    )
    return answers.Guideline.of(draft.to_dict())


@routes.post("/datasets/{dataset}/guidelines/published", **LARGE)
def publish_guideline(dataset: Named, body: GuidelinePublication, ask: Ask) -> answers.Guideline:
    """Publish the draft, or a text at once. What is published never changes."""
    published = service.publish_guideline(
        ask.actor, dataset, body.text, touches=body.touches, changelog=body.changelog, store=ask.store
    )
    return answers.Guideline.of(published.to_dict())


@routes.get("/datasets/{dataset}/guideline", **READ)
def show_guideline(dataset: Named, ask: Ask, version: Version = 0) -> answers.Guideline:
    """Show a version of the guideline."""
    return answers.Guideline.of(service.guideline(ask.actor, dataset, version, store=ask.store).to_dict())


@routes.get("/datasets/{dataset}/guideline/diff", **READ)
def diff_guidelines(dataset: Named, ask: Ask, a: Earlier = 0, b: Version = 0) -> answers.GuidelineDiff:
    """What changed from one version of the guideline to another."""
    diff = service.diff_guidelines(ask.actor, dataset, a, b, store=ask.store)
    return answers.GuidelineDiff.of(diff.to_dict())


@routes.get("/datasets/{dataset}/guideline/reading", **READ)
def show_guideline_reading(dataset: Named, ask: Ask) -> answers.GuidelineReading:
    """Which version one has acknowledged, and what changed since."""
    return answers.GuidelineReading.of(service.reading(ask.actor, dataset, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/guideline/reading", **READ)
def acknowledge_guideline(dataset: Named, body: Acknowledgement, ask: Ask) -> answers.GuidelineReading:
    """Say that one has read a published version."""
    read = service.acknowledge(ask.actor, dataset, body.version, store=ask.store)
    return answers.GuidelineReading.of(read.to_dict())


@routes.get("/datasets/{dataset}/stale-labels", **READ)
def show_stale_labels(
    dataset: Named, ask: Ask, label_set: LabelSet = DEFAULT_LABEL_SET, ref: Ref = ""
) -> answers.StaleLabels:
    """Count the labels that a change of the guideline or a split of their class made stale, with hours."""
    stale = service.stale(ask.actor, _at(dataset, ref), label_set=label_set, store=ask.store)
    return answers.StaleLabels.of(stale.to_dict())


@routes.get("/datasets/{dataset}/stale-labels/samples", **READ, **packed_answer(answers.StaleSamples))
def list_stale_samples(
    dataset: Named,
    ask: Ask,
    label_set: LabelSet = DEFAULT_LABEL_SET,
    ref: Ref = "",
    classes: OfClasses = None,
    limit: Limit = 10_000,
    offset: Offset = 0,
) -> object:
    """Ids of the samples with stale labels, of some classes or of all."""
    ids = service.stale_samples(
        ask.actor, _at(dataset, ref), label_set=label_set, classes=classes, store=ask.store
    )
    return packed({"total": len(ids), "ids": ids[offset : offset + limit]})


def _changes(changes: Sequence[ClassDiff]) -> answers.OntologyChanges:
    """The changes of classes, their fields as texts."""
    plain = [change.to_dict() for change in changes]
    for change in plain:
        for field in change["fields"]:
            for side in ("before", "after"):
                value = field[side]
                field[side] = value if isinstance(value, str | None) else canonical_json(value)
    return answers.OntologyChanges.of({"classes": plain})


def _at(dataset: str, ref: str) -> str:
    return f"{dataset}@{ref}" if ref else dataset

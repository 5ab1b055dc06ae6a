"""Commands of guidelines: the ontology and its migrations, guidelines, stale labels."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.terminal import facts, table, terminal
from calotype.foundation.text_files import read_text
from calotype.guidelines import service
from calotype.guidelines.model import (
    ClassDiff,
    Guideline,
    GuidelineDiff,
    Migrated,
    Migration,
    MigrationInvalid,
)
from calotype.guidelines.text import split_names

Name = Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)]
OnlyName = Annotated[str, typer.Argument(help="A dataset.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what would change, and change nothing.")]
Touches = Annotated[
    str, typer.Option(help="Classes and attributes whose labels become stale: car,person.occluded")
]
Changelog = Annotated[str, typer.Option(help="What changed, in a line.")]
LabelSet = Annotated[str, typer.Option(help="The label set.")]

ontology = typer.Typer(no_args_is_help=True, help="Show, set, compare and migrate the classes of a dataset.")
guideline = typer.Typer(
    no_args_is_help=True, help="Write, publish, compare and acknowledge guidelines; list stale labels."
)


@ontology.command("show")
def show_ontology(ctx: typer.Context, name: Name) -> None:
    """Show the classes with colour, key, tools and attributes."""
    t = terminal(ctx)
    shown = service.show_ontology(t.actor, name, store=t.store())
    rows = [
        [
            card["name"] + (" (retired)" if card["retired"] else ""),
            card["key"],
            card["colour"],
            ", ".join(one["name"] + ("*" if one["required"] else "") for one in card["attributes"]),
            card["definition"][:80],
        ]
        for card in shown["classes"]
    ]
    t.emit(shown, table(["class", "key", "colour", "attributes", "definition"], rows))


@ontology.command("set")
def set_ontology(
    ctx: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(help="A YAML file with `classes:`.", show_default=False)],
    dry_run: DryRun = False,
) -> None:
    """Change definitions, colours, keys, tools, attributes and skeletons of classes; labels stay as they are."""
    t = terminal(ctx)
    changes = service.set_ontology(
        t.actor, name, read_text(file), store=t.store(), file=file.name, dry_run=dry_run
    )
    t.emit(
        {"applied": not dry_run, "classes": [change.to_dict() for change in changes]},
        _changes(changes),
        next="" if dry_run else f"calotype commit {name} -m 'classes'",
    )


@ontology.command("diff")
def diff_ontologies(
    ctx: typer.Context,
    name: OnlyName,
    before: Annotated[str, typer.Argument(help="A branch, tag or commit.")] = "main",
    after: Annotated[str, typer.Argument(help="Another one; by default the working state.")] = "",
) -> None:
    """Show what changed in the ontology from one ref to another."""
    t = terminal(ctx)
    changes = service.diff_ontologies(t.actor, name, before, after, store=t.store())
    t.emit({"classes": [change.to_dict() for change in changes]}, _changes(changes))


@ontology.command("migrate")
def migrate_ontology(
    ctx: typer.Context,
    name: Name,
    rename: Annotated[list[str] | None, typer.Option(help="A=B: rename class A to B.")] = None,
    merge: Annotated[list[str] | None, typer.Option(help="A,B=C: A and B become C.")] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="A=B,C: people sort A's labels into B and C.")
    ] = None,
    retire: Annotated[list[str] | None, typer.Option(help="A: the class takes no new labels.")] = None,
    to: Annotated[str, typer.Option(help="The class that gets the labels of retired ones.")] = "",
    delete_labels: Annotated[
        bool, typer.Option("--delete-labels", help="Delete the labels of retired classes.")
    ] = False,
    rename_attribute: Annotated[list[str] | None, typer.Option(help="CLASS.A=B.")] = None,
    drop_attribute: Annotated[list[str] | None, typer.Option(help="CLASS.A: no longer declared.")] = None,
    delete_values: Annotated[
        bool, typer.Option("--delete-values", help="Remove the values of dropped attributes.")
    ] = False,
    fill_attribute: Annotated[
        list[str] | None, typer.Option(help="CLASS.A: its default fills what labels lack.")
    ] = None,
    map_value: Annotated[list[str] | None, typer.Option(help="CLASS.A:OLD=NEW.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Change classes and attributes with the labels of all label sets, as one edit that can be undone."""
    t = terminal(ctx)
    migration = Migration(
        rename=dict(_pairs(rename)),
        merge={target: tuple(split_names(names)) for names, target in _pairs(merge)},
        split={old: tuple(split_names(names)) for old, names in _pairs(split)},
        retire=tuple(retire or ()),
        to=to,
        delete_labels=delete_labels,
        rename_attributes=dict(_pairs(rename_attribute)),
        drop_attributes=tuple(drop_attribute or ()),
        delete_values=delete_values,
        fill_attributes=tuple(fill_attribute or ()),
        map_values=_values(map_value),
    )
    done = service.migrate_ontology(t.actor, name, migration, store=t.store(), dry_run=dry_run)
    t.emit(done.to_dict(), _migrated(done), next="" if dry_run else f"calotype undo-edit {name}")


@guideline.command("new")
def new_guideline(
    ctx: typer.Context,
    name: OnlyName,
    file: Annotated[Path, typer.Argument(help="A Markdown file.", show_default=False)],
    touches: Touches = "",
    changelog: Changelog = "",
) -> None:
    """Write a draft of the next version."""
    t = terminal(ctx)
    draft = service.new_guideline(
        t.actor,
        name,
        read_text(file),
        touches=split_names(touches),
        changelog=changelog,
        file=file.name,
        store=t.store(),
    )
    t.emit(
        draft.to_dict(),
        f"wrote a draft of version {draft.version}",
        next=f"calotype guideline publish {name}",
    )


@guideline.command("publish")
def publish_guideline(
    ctx: typer.Context,
    name: OnlyName,
    file: Annotated[Path | None, typer.Argument(help="A Markdown file; by default the draft.")] = None,
    touches: Touches = "",
    changelog: Changelog = "",
) -> None:
    """Publish the draft, or a file at once."""
    t = terminal(ctx)
    published = service.publish_guideline(
        t.actor,
        name,
        None if file is None else read_text(file),
        touches=split_names(touches),
        changelog=changelog,
        file="guideline" if file is None else file.name,
        store=t.store(),
    )
    touched = f"; it touches {', '.join(map(str, published.touches))}" if published.touches else ""
    t.emit(
        published.to_dict(),
        f"published version {published.version}{touched}",
        next=f"calotype guideline stale {name}",
    )


@guideline.command("list")
def list_guidelines(ctx: typer.Context, name: OnlyName) -> None:
    """List the versions, newest first."""
    t = terminal(ctx)
    versions = service.guidelines(t.actor, name, store=t.store())
    rows = [[one.version, one.state, one.changelog, ", ".join(map(str, one.touches))] for one in versions]
    t.emit([one.head() for one in versions], table(["version", "state", "changelog", "touches"], rows))


@guideline.command("show")
def show_guideline(
    ctx: typer.Context,
    name: OnlyName,
    version: Annotated[int, typer.Option(help="A version; 0 is the newest published one.")] = 0,
) -> None:
    """Show a version of the guideline."""
    t = terminal(ctx)
    shown = service.guideline(t.actor, name, version, store=t.store())
    t.emit(shown.to_dict(), _shown(shown))


@guideline.command("diff")
def diff_guidelines(
    ctx: typer.Context,
    name: OnlyName,
    before: Annotated[int, typer.Argument(help="A version; 0 is the one before the other.")] = 0,
    after: Annotated[int, typer.Argument(help="A version; 0 is the newest published one.")] = 0,
) -> None:
    """Show what changed from one version to another."""
    t = terminal(ctx)
    diff = service.diff_guidelines(t.actor, name, before, after, store=t.store())
    t.emit(diff.to_dict(), _diff(diff))


@guideline.command("reading")
def show_reading(ctx: typer.Context, name: OnlyName) -> None:
    """Show which version you have acknowledged, and what changed since."""
    t = terminal(ctx)
    read = service.reading(t.actor, name, store=t.store())
    head = f"version {read.acknowledged_version} of {read.version} is acknowledged"
    t.emit(read.to_dict(), [head, *_diff(read.changes)])


@guideline.command("acknowledge")
def acknowledge(
    ctx: typer.Context,
    name: OnlyName,
    version: Annotated[int, typer.Option(help="A version; 0 is the newest published one.")] = 0,
) -> None:
    """Say that you have read a version; shows what changed since the one before."""
    t = terminal(ctx)
    read = service.acknowledge(t.actor, name, version, store=t.store())
    head = f"version {read.acknowledged_version} is acknowledged"
    t.emit(read.to_dict(), [head, *_diff(read.changes)])


@guideline.command("stale")
def stale(
    ctx: typer.Context,
    name: Name,
    label_set: LabelSet = DEFAULT_LABEL_SET,
    samples: Annotated[
        bool, typer.Option("--samples", help="List the ids of the samples with stale labels.")
    ] = False,
    of_class: Annotated[list[str] | None, typer.Option("--class", help="Only samples of this class.")] = None,
) -> None:
    """Count the labels that were made before a change that touches them, and estimate the hours."""
    t = terminal(ctx)
    counted = service.stale(t.actor, name, label_set=label_set, store=t.store())
    value = counted.to_dict()
    rows = [
        [class_, one.labels, one.samples, f"{one.hours:.2f}", f"{one.seconds_each:g} s each"]
        for class_, one in counted.by_class.items()
    ]
    shown: list[Any] = [
        table(["class", "labels", "samples", "hours", ""], rows),
        f"{counted.labels:,} labels on {counted.samples:,} samples, about {counted.hours:.2f} hours"
        f" ({counted.basis} times)",
    ]
    if samples or of_class:
        ids = service.stale_samples(
            t.actor, name, label_set=label_set, classes=of_class or None, store=t.store()
        )
        value["sample_ids"] = ids
        shown += ids
    t.emit(value, shown)


def _pairs(entries: Sequence[str] | None) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for entry in entries or ():
        old, equals, new = entry.rpartition("=")
        if not equals or not old or not new:
            detail = f"{entry[:200]!r} is not of the form OLD=NEW"
            raise MigrationInvalid(
                where=entry[:200], detail=detail, hint="write, for example, --rename car=vehicle"
            )
        if old in dict(pairs):
            raise MigrationInvalid(detail=f"{old!r} is given twice", hint="name it once")
        pairs.append((old, new))
    return pairs


def _values(entries: Sequence[str] | None) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for old, new in _pairs(entries):
        place, colon, value = old.partition(":")
        if not colon:
            raise MigrationInvalid(detail=f"{old!r} names no value", hint="write --map-value CLASS.A:OLD=NEW")
        values.setdefault(place, {})[value] = new
    return values


def _changes(changes: Sequence[ClassDiff]) -> Any:
    rows = [
        [one.name, one.change, shlex.join(field.field for field in one.fields).replace("'", "")]
        for one in changes
    ]
    return table(["class", "change", "fields"], rows) if rows else "no differences"


def _migrated(done: Migrated) -> list[Any]:
    rows = [[one.name, one.action, ", ".join(one.to), one.labels] for one in done.classes]
    notes = [f"{one.name}: {note}" for one in done.classes for note in one.notes]
    would = "" if done.applied else "would be "
    return [
        table(["class", "action", "to", "labels"], rows),
        *notes,
        f"{done.written:,} labels {would}written and {done.deleted:,} {would}deleted on {done.samples:,} samples",
    ]


def _shown(shown: Guideline) -> list[Any]:
    about = {
        "version": shown.version,
        "state": shown.state,
        "changelog": shown.changelog,
        "touches": ", ".join(map(str, shown.touches)),
        "examples": len(shown.examples),
    }
    return [facts(about), "", shown.text]


def _diff(diff: GuidelineDiff) -> list[str]:
    changes = [f"version {version}: {line}" for version, line in diff.changelog]
    touched = [f"touches: {', '.join(diff.touches)}"] if diff.touches else []
    return [*changes, *touched, *diff.lines]

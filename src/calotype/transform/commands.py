"""The command line of transform."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.foundation.terminal import facts, table, terminal
from calotype.transform import class_mapping, recipe, service
from calotype.transform.model import ClassMapping, ClassMappingInvalid
from calotype.transform.recipe import Recipe
from calotype.transform.service import Derived, Scope, Worklist

Name = Annotated[str, typer.Argument(help="A dataset: NAME or NAME@BRANCH.", show_default=False)]
RecipeFile = Annotated[Path, typer.Argument(help="The YAML file of the recipe.", show_default=False)]
Where = Annotated[str | None, typer.Option(help="Only samples that match this query.")]
LabelSets = Annotated[
    list[str] | None,
    typer.Option("--label-set", help="Only annotations of this label set; repeat for more. Default: all."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


def augment(
    ctx: typer.Context,
    name: Name,
    recipe_file: RecipeFile,
    where: Where = None,
    splits: Annotated[
        str, typer.Option(help='Comma-separated splits to copy; "none" is samples without a split, or "all".')
    ] = "train,none",
    label_sets: LabelSets = None,
    dry_run: DryRun = False,
) -> None:
    """Make a recipe's copies of samples, with their annotations. Only missing and outdated copies are made."""
    t = terminal(ctx)
    parsed = recipe.load(recipe_file)
    scope = _scope(where, splits, label_sets)
    if dry_run:
        options = _options(where, "" if splits == "train,none" else splits, label_sets)
        plan = service.plan_augment(t.actor, name, parsed, store=t.store(), scope=scope)
        t.emit(
            _planned(plan, parsed),
            facts(plan.counts()),
            next=_command("augment", name, recipe_file, *options),
        )
        return
    with t.progress() as progress:
        derived = service.augment(t.actor, name, parsed, store=t.store(), scope=scope, progress=progress)
    t.emit(derived.to_dict(), _shown(derived), next=f"calotype commit {name} -m 'augment by {parsed.name}'")


def transform(
    ctx: typer.Context,
    name: Name,
    recipe_file: RecipeFile,
    into: Annotated[
        str, typer.Option(help="The dataset for the transformed samples; it is created when missing.")
    ] = "",
    where: Where = None,
    splits: Annotated[
        str, typer.Option(help='Comma-separated splits to transform; "none" is samples without a split.')
    ] = "all",
    label_sets: LabelSets = None,
    dry_run: DryRun = False,
) -> None:
    """Make one transformed sample of each sample, with its annotations. The recipe must not be random."""
    t = terminal(ctx)
    parsed = recipe.load(recipe_file)
    scope = _scope(where, splits, label_sets)
    if dry_run:
        plan = service.plan_transform(t.actor, name, parsed, store=t.store(), into=into, scope=scope)
        options = _options(where, "" if splits == "all" else splits, label_sets, into)
        t.emit(
            _planned(plan, parsed),
            facts(plan.counts()),
            next=_command("transform", name, recipe_file, *options),
        )
        return
    with t.progress() as progress:
        derived = service.transform(
            t.actor, name, parsed, store=t.store(), into=into, scope=scope, progress=progress
        )
    t.emit(
        derived.to_dict(),
        _shown(derived),
        next=f"calotype commit {into or name} -m 'transform by {parsed.name}'",
    )


def map_classes(
    ctx: typer.Context,
    name: Name,
    classes: Annotated[
        list[str] | None,
        typer.Argument(
            help="OLD=NEW for each class to rename or merge; OLD= drops the class with its annotations.",
            metavar="[OLD=NEW]...",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A YAML file of such entries: {van: car, cone: null}.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Rename, merge or drop classes in all label sets, as one edit."""
    t = terminal(ctx)
    mapping = {**(class_mapping.load(file) if file else {}), **_mapping(classes or ())}
    report = service.map_classes(t.actor, name, mapping, store=t.store(), dry_run=dry_run)
    options = ["--file", str(file)] if file else []
    same = _command("map-classes", name, *(classes or ()), *options)
    t.emit(
        report.to_dict(),
        _mapped(report),
        next=same if dry_run else f"calotype commit {name} -m 'map classes'",
    )


def _command(*words: str | Path) -> str:
    return shlex.join(["calotype", *map(str, words)])


def _options(where: str | None, splits: str, label_sets: Sequence[str] | None, into: str = "") -> list[str]:
    given = [("--where", where), ("--splits", splits), ("--into", into)]
    given += [("--label-set", label_set) for label_set in label_sets or ()]
    return [word for option, value in given if value for word in (option, value)]


def _scope(where: str | None, splits: str, label_sets: Sequence[str] | None) -> Scope:
    names = tuple("" if word == "none" else word for word in splits.replace(" ", "").split(",") if word)
    chosen = None if names == ("all",) else names
    return Scope(where, chosen, tuple(label_sets) if label_sets else None)


def _mapping(entries: Sequence[str]) -> dict[str, str | None]:
    mapping: dict[str, str | None] = {}
    for entry in entries:
        old, equals, new = entry.partition("=")
        if not equals or not old:
            raise ClassMappingInvalid(where=entry, detail=f"{entry!r} is not of the form OLD=NEW")
        if old in mapping:
            raise ClassMappingInvalid(where=entry, detail=f"class {old!r} is mapped twice")
        mapping[old] = new or None
    return mapping


def _planned(plan: Worklist, parsed: Recipe) -> dict[str, Any]:
    return {"recipe": parsed.label, "dry_run": True, **plan.counts(), "label_sets": list(plan.label_sets)}


def _shown(derived: Derived) -> list[Any]:
    counts = {"made": derived.made, "unchanged": derived.unchanged, "removed": derived.removed}
    dropped = {f"annotations dropped, {why}": n for why, n in sorted(derived.dropped_annotations.items())}
    shown: list[Any] = [facts({"recipe": derived.recipe, **counts, **dropped})]
    if derived.failed:
        rows = [[failure.name, failure.reason] for failure in derived.failed[:20]]
        shown.append(table(["sample", "why"], rows, title=f"{len(derived.failed)} samples failed"))
    return shown


def _mapped(report: ClassMapping) -> list[Any]:
    rows = [[c.old, c.new or "", c.action, c.n_annotations] for c in report.changes]
    verb = "moved" if report.applied else "would be moved"
    return [
        table(["class", "new name", "action", "annotations"], rows),
        f"{report.moved} annotations {verb}, {report.dropped} {'' if report.applied else 'would be '}dropped",
    ]

"""Commands of annotate: edit, edits, undo-edit, redo-edit, predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.annotate import predicting, service
from calotype.annotate.model import MAX_BYTES, EditsInvalid
from calotype.annotate.predicting import PredictOptions
from calotype.annotate.service import EditOptions, Undone
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation import json_limits
from calotype.foundation.terminal import facts, table, terminal

Name = Annotated[str, typer.Argument(help="A dataset, or dataset@branch.", show_default=False)]
Expect = Annotated[
    str, typer.Option("--id", help="Only if this edit comes next; ids are listed by `calotype edits`.")
]


def edit(
    ctx: typer.Context,
    name: Name,
    file: Annotated[
        str, typer.Option("--file", "-f", help="A JSON file with the list of edits; - reads standard input.")
    ],
    label_set: Annotated[str, typer.Option(help="The label set of the annotations.")] = DEFAULT_LABEL_SET,
    carry_over: Annotated[
        bool, typer.Option("--carry-over", help="Change the copies of originals too, where that is possible.")
    ] = False,
    id: Annotated[
        str, typer.Option("--id", help="Id of this list: repeating it gives the first answer.")
    ] = "",
) -> None:
    """Stage small edits of annotations and samples as one change: all of them, or none."""
    t = terminal(ctx)
    options = EditOptions(label_set, carry_over, id)
    edited = service.edit(
        t.actor,
        name,
        json_limits.read_list(file, "edits", max_bytes=MAX_BYTES, refused=EditsInvalid),
        store=t.store(),
        options=options,
    )
    value = edited.to_dict()
    numbers = {key: value[key] for key in ("added", "changed", "deleted", "samples", "copies", "carried")}
    lines: list[Any] = [edited.what, facts(numbers)]
    lines += [f"not carried over ({n}): {reason}" for reason, n in edited.not_carried.items()]
    t.emit(value, lines, next=f"calotype undo-edit {name}")


def edits(ctx: typer.Context, name: Name) -> None:
    """List the edits since the last commit, newest first; each can be undone in this order."""
    t = terminal(ctx)
    listed = [service.described(entry) for entry in service.edits(t.actor, name, store=t.store())]
    n_undone = sum(entry["undone"] for entry in listed)
    rows = [
        [entry["id"], entry["at"], entry["actor"], "undone" if entry["undone"] else "", entry["what"]]
        for entry in listed
    ]
    value = {"edits": listed, "to_undo": len(listed) - n_undone, "to_redo": n_undone}
    if rows:
        t.emit(value, table(["id", "at", "who", "", "what"], rows), next=f"calotype undo-edit {name}")
    else:
        t.emit(value, "no edits since the last commit", next=f"calotype log {name}")


def undo_edit(ctx: typer.Context, name: Name, id: Expect = "") -> None:
    """Undo the last edit of the working state, whatever made it: an edit, a fix, an import, a split ..."""
    t = terminal(ctx)
    undone = service.undo_edit(t.actor, name, store=t.store(), expect=id)
    t.emit(undone.to_dict(), _lines("undid", undone), next=f"calotype redo-edit {name}")


def redo_edit(ctx: typer.Context, name: Name, id: Expect = "") -> None:
    """Bring back the edit that was undone last."""
    t = terminal(ctx)
    redone = service.redo_edit(t.actor, name, store=t.store(), expect=id)
    t.emit(redone.to_dict(), _lines("redid", redone), next=f"calotype edits {name}")


def predict(
    ctx: typer.Context,
    name: Name,
    model: Annotated[
        Path, typer.Option(help="An ONNX file: a detector or a classifier.", show_default=False)
    ],
    config: Annotated[
        Path | None, typer.Option(help="YAML file that describes the model, if the file itself does not.")
    ] = None,
    label_set: Annotated[
        str, typer.Option("--as", help="Label set of the predictions; model:NAME of the model by default.")
    ] = "",
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
    min_score: Annotated[
        float | None, typer.Option(help="Lowest score, 0 to 1, instead of the description's.")
    ] = None,
    add_classes: Annotated[
        bool, typer.Option("--add-classes", help="Add predicted classes that the ontology lacks.")
    ] = False,
) -> None:
    """Run a model over samples, and put its predictions into a label set of their own."""
    t = terminal(ctx)
    options = PredictOptions(label_set, config, where, add_classes, min_score)
    with t.progress() as progress:
        predicted = predicting.predict(
            t.actor, name, model, store=t.store(), options=options, progress=progress
        )
    value = predicted.to_dict()
    keys = ("label_set", "model", "images", "annotations", "empty", "replaced")
    lines: list[Any] = [facts({key: value[key] for key in keys})]
    if predicted.by_class:
        lines.append(table(["class", "annotations"], [[*item] for item in predicted.by_class.items()]))
    if predicted.added_classes:
        lines.append(f"added to the ontology: {', '.join(predicted.added_classes)}")
    if predicted.failed:
        lines.append(f"{len(predicted.failed)} images cannot be read: {', '.join(predicted.failed[:3])}")
    t.emit(value, lines, next=f"calotype undo-edit {name}")


def _lines(did: str, undone: Undone) -> list[str]:
    what = service.described(undone.entry)["what"]
    return [f"{did}: {what}", f"edits left to undo: {undone.to_undo}, to redo: {undone.to_redo}"]

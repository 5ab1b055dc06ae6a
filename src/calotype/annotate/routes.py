"""HTTP routes of annotate: edits, undo, redo."""

from __future__ import annotations

from calotype.annotate import answers, service
from calotype.annotate.bodies import EditsBody, StepBody
from calotype.annotate.model import MAX_BYTES
from calotype.annotate.service import EditOptions
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Branch, Named, action, room_routes

routes = room_routes("annotate")

EDIT = action(Permission.DATASET_EDIT)


@routes.post("/datasets/{dataset}/edits", **action(Permission.DATASET_EDIT, max_body_bytes=MAX_BYTES))
def post_edits(dataset: Named, body: EditsBody, ask: Ask, branch: Branch = "") -> answers.Edited:
    """Stage small edits of annotations and samples as one change of the working state."""
    options = EditOptions(body.label_set, body.carry_over, body.id)
    edited = service.edit(ask.actor, _named(dataset, branch), body.plain(), store=ask.store, options=options)
    return answers.Edited.of(edited.to_dict())


@routes.get("/datasets/{dataset}/edits", **action(Permission.DATASET_READ))
def list_edits(dataset: Named, ask: Ask, branch: Branch = "") -> answers.StagedEdits:
    """List the edits since the last commit, newest first, each with what it did."""
    listed = service.edits(ask.actor, _named(dataset, branch), store=ask.store)
    n_undone = sum(entry.undone for entry in listed)
    items = [service.described(entry) for entry in listed]
    return answers.StagedEdits.of({"items": items, "to_undo": len(items) - n_undone, "to_redo": n_undone})


@routes.post("/datasets/{dataset}/edits/undo", **EDIT)
def undo_edit(dataset: Named, body: StepBody, ask: Ask, branch: Branch = "") -> answers.SteppedEdit:
    """Undo the last edit of the working state, whatever verb made it."""
    undone = service.undo_edit(ask.actor, _named(dataset, branch), store=ask.store, expect=body.edit)
    return answers.SteppedEdit.of(undone.to_dict())


@routes.post("/datasets/{dataset}/edits/redo", **EDIT)
def redo_edit(dataset: Named, body: StepBody, ask: Ask, branch: Branch = "") -> answers.SteppedEdit:
    """Bring back the edit that was undone last."""
    redone = service.redo_edit(ask.actor, _named(dataset, branch), store=ask.store, expect=body.edit)
    return answers.SteppedEdit.of(redone.to_dict())


def _named(dataset: str, branch: str) -> str:
    return f"{dataset}@{branch}" if branch else dataset

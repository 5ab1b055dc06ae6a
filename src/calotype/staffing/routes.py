"""HTTP routes of staffing: the figures of people in a batch."""

from __future__ import annotations

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, action, room_routes
from calotype.staffing import answers, service

routes = room_routes("staffing")

MANAGE = action(Permission.BATCH_MANAGE)


@routes.get("/datasets/{dataset}/batches/{batch}/figures", **MANAGE)
def show_batch_figures(dataset: Named, batch: Named, ask: Ask) -> answers.BatchFigures:
    """Show how the work of each person fared in review, and what became of prelabels."""
    figures = service.batch_figures(ask.actor, dataset, batch, store=ask.store)
    return answers.BatchFigures.of(figures.to_dict())

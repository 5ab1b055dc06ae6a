"""The batch of the demo: images to label at once, and some that wait for a review because a colleague did them."""

from __future__ import annotations

from calotype.foundation.actor import LOCAL, Actor
from calotype.labelling import service
from calotype.labelling.errors import BatchExists
from calotype.labelling.model import BatchOptions, BatchStatus
from calotype.store import Store

NAME = "look-first"
COLLEAGUE = Actor(f"{LOCAL}amir", "Amir Haddad")
N_SUBMITTED = 3
WHERE = 'tags has "picked:look-first"'


def open_batch(actor: Actor, store: Store, dataset: str) -> BatchStatus:
    """Open the batch, or show the one that is there. Everyone who may annotate gets its work; all of it is reviewed."""
    options = BatchOptions(where=WHERE, review=1.0)
    try:
        service.open_batch(actor, dataset, NAME, store=store, options=options)
    except BatchExists:
        return service.batch(actor, dataset, NAME, store=store)
    for _ in range(N_SUBMITTED):
        wanted = service.Wanted(dataset, NAME, "annotate")
        service.submit(COLLEAGUE, service.next_work(COLLEAGUE, store=store, wanted=wanted), store=store)
    return service.batch(actor, dataset, NAME, store=store)

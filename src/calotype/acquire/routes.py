"""HTTP routes of image uploads."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from calotype.acquire import uploads
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Sent, action

routes = APIRouter(tags=["acquire"])


@routes.put("/datasets/{dataset}/images/{name:path}", **action(Permission.DATASET_EDIT))
def put_image(
    dataset: str,
    name: str,
    ask: Ask,
    sent: Sent,
    source: Annotated[str, Query(max_length=1_000)] = "",
    licence: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, Any]:
    """Add one image, its bytes as the body; answers as `calotype add`."""
    added = uploads.add_upload(
        ask.actor, dataset, name, sent, store=ask.store, source=source, licence=licence
    )
    return added.to_dict()

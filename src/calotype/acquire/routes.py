"""HTTP routes of image uploads."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from calotype.acquire import answers, uploads
from calotype.foundation.actor import Permission
from calotype.foundation.http import BINARY, Ask, Named, Sent, action, room_routes

routes = room_routes("acquire")


@routes.put(
    "/datasets/{dataset}/images/{name:path}",
    **action(Permission.DATASET_EDIT, body=BINARY, max_body_bytes=uploads.MAX_UPLOAD_BYTES),
)
def upload_image(
    dataset: Named,
    name: Named,
    ask: Ask,
    sent: Sent,
    source: Annotated[str, Query(max_length=1_000, description="Where the image comes from.")] = "",
    licence: Annotated[str, Query(max_length=200, description="Its licence, such as CC-BY-4.0.")] = "",
) -> answers.ImageImport:
    """Add one image, its bytes as the body; answers as `calotype add`."""
    added = uploads.add_upload(
        ask.actor, dataset, name, sent, store=ask.store, source=source, licence=licence
    )
    return answers.ImageImport.of(added.to_dict())

"""The HTTP door of annotate."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from calotype.acquire.labels import answers, service
from calotype.acquire.labels.model import Policy
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.actor import Permission
from calotype.foundation.http import BINARY, Ask, Sent, action

routes = APIRouter(tags=["acquire"])

_SUFFIX = {"coco": ".json", "voc": ".xml"}


@routes.post("/datasets/{dataset}/imports", status_code=201, **action(Permission.DATASET_EDIT, body=BINARY))
def import_labels(
    dataset: str,
    ask: Ask,
    sent: Sent,
    format: Annotated[str, Query(pattern="^(coco|voc)$", description="Formats of one file.")] = "coco",
    label_set: Annotated[
        str, Query(max_length=200, description="Where the annotations go.")
    ] = DEFAULT_LABEL_SET,
    on_unknown: Annotated[Policy, Query(description="What to do with unknown classes.")] = "error",
    on_invalid: Annotated[Policy, Query(description="What to do with invalid annotations.")] = "quarantine",
    name: Annotated[str, Query(max_length=1_000, description="What makes it the same file next time.")] = "",
) -> answers.LabelImport:
    """Import annotations of images that the dataset has, one label file as the body; answers as `calotype import`."""
    ask.store.guard.require(ask.actor, Permission.DATASET_EDIT, dataset=dataset)
    with tempfile.TemporaryDirectory(prefix="import-", dir=ask.store.folder) as folder:
        file = Path(folder) / f"labels{_SUFFIX[format]}"
        digest = hashlib.sha256()
        with file.open("wb") as out:
            for chunk in sent:
                digest.update(chunk)
                out.write(chunk)
        imported = service.import_annotations(
            ask.actor, dataset, file, store=ask.store, format=format, label_set=label_set,
            on_unknown=on_unknown, on_invalid=on_invalid,
            origin=f"upload:{name or digest.hexdigest()}",
        )  # fmt: skip
    return answers.LabelImport.of(imported.to_dict())

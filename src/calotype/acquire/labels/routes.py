"""HTTP routes of label imports."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import Query

from calotype.acquire.labels import answers, service
from calotype.acquire.labels.format_answers import LabelFormat, LabelFormatList
from calotype.acquire.labels.model import ImportOptions, Policy
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.exchange import registry
from calotype.foundation.actor import Permission
from calotype.foundation.http import BINARY, Ask, Named, Sent, action, room_routes

routes = room_routes("acquire")

MAX_LABEL_BYTES = 1_000_000_000
_UPLOADABLE = Query(
    pattern=f"^({'|'.join(registry.UPLOADABLE)})$",
    json_schema_extra={"enum": list(registry.UPLOADABLE)},
    description="Format of the label file.",
)


@routes.get("/formats", **action(Permission.DATASET_READ))
def list_formats(ask: Ask) -> LabelFormatList:
    """The label formats and what each can do."""
    return LabelFormatList(items=[LabelFormat.of_format(format) for format in registry.FORMATS.values()])


@routes.post(
    "/datasets/{dataset}/imports",
    status_code=201,
    **action(Permission.DATASET_EDIT, body=BINARY, max_body_bytes=MAX_LABEL_BYTES),
)
def import_labels(
    dataset: Named,
    ask: Ask,
    sent: Sent,
    format: Annotated[str, _UPLOADABLE] = registry.UPLOADABLE[0],
    label_set: Annotated[
        str, Query(max_length=200, description="Where the annotations go.")
    ] = DEFAULT_LABEL_SET,
    on_unknown: Annotated[Policy, Query(description="What to do with unknown classes.")] = "error",
    on_invalid: Annotated[Policy, Query(description="What to do with invalid annotations.")] = "quarantine",
    name: Annotated[
        str, Query(max_length=1_000, description="Identifies the file when it comes again.")
    ] = "",
) -> answers.LabelImport:
    """Import annotations of images that the dataset has, one label file as the body; answers as `calotype import`."""
    ask.store.guard.require(ask.actor, Permission.DATASET_EDIT, dataset=dataset)
    with tempfile.TemporaryDirectory(prefix="import-", dir=ask.store.folder) as folder:
        file = Path(folder) / f"labels{registry.FORMATS[format].suffixes[0]}"
        digest = hashlib.sha256()
        with file.open("wb") as out:
            for chunk in sent:
                digest.update(chunk)
                out.write(chunk)
        options = ImportOptions(
            format=format,
            label_set=label_set,
            on_unknown=on_unknown,
            on_invalid=on_invalid,
            origin=f"upload:{name or digest.hexdigest()}",
        )
        imported = service.import_annotations(ask.actor, dataset, file, options, store=ask.store)
    return answers.LabelImport.of(imported.to_dict())

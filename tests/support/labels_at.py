"""Datasets of labels given as columns, for what counts and rewrites them without images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.datasets.rows import ANNOTATION_SCHEMA
from calotype.foundation.actor import Actor
from calotype.foundation.ids import canonical_json, uuid8
from calotype.store import Store
from calotype.vision.ontology import Ontology


def sample(name: str, *, parent: str = "") -> Sample:
    """A sample without bytes; `parent` is the name of the sample that it is a copy of."""
    parent_id = uuid8("sample", parent) if parent else ""
    return Sample(
        uuid8("sample", name),
        "0" * 64,
        name,
        640,
        480,
        "image/png",
        1,
        parent_id=parent_id,
        recipe=parent and "r",
    )


def rows(labels: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Boxes as rows: each has sample (a name) and class_id, perhaps id, kind, attributes and at_us."""
    columns: dict[str, list[Any]] = {name: [] for name in ANNOTATION_SCHEMA.names}
    for at, label in enumerate(labels):
        attributes = label.get("attributes")
        known = {
            "ann_id": label.get("id") or uuid8("label", str(at), label["sample"], str(label["class_id"])),
            "sample_id": uuid8("sample", label["sample"]),
            "kind": label.get("kind", "box"),
            "class_id": label["class_id"],
            **dict(zip("xywh", (1.0, 2.0, 30.0, 40.0), strict=True)),
            "area_px": 1200.0,
            "iscrowd": False,
            "attributes": canonical_json(dict(attributes)) if attributes else "",
            "author": "ana",
            "created_at_us": label.get("at_us", 1),
        }
        for name in columns:
            columns[name].append(known.get(name))
    return pa.table(columns, schema=ANNOTATION_SCHEMA)


def dataset_of(
    owner: Actor,
    store: Store,
    ontology: Ontology,
    labels: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    copies: Mapping[str, str] | None = None,
    name: str = "roads",
) -> None:
    """A dataset with the labels of label sets, and the samples that they are on; `copies` maps a copy to its parent."""
    parents = copies or {}
    names = sorted(
        {label["sample"] for of_set in labels.values() for label in of_set} | {*parents, *parents.values()}
    )
    datasets.create(owner, name, store=store)
    change = Change(
        put_samples=[sample(one, parent=parents.get(one, "")) for one in names],
        put_annotations={label_set: rows(of_set) for label_set, of_set in labels.items()},
        ontology=ontology,
    )
    datasets.apply(owner, name, change, store=store)

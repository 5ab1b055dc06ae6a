"""Facts that rooms above need: how classes are shown and chosen, and who has read which version of a guideline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from calotype.datasets.model import Kind
from calotype.foundation.clock import now_us
from calotype.guidelines import repository
from calotype.vision.ontology import Class, Ontology

PALETTE = (
    "#e69f00",
    "#56b4e9",
    "#00c08b",
    "#f0e442",
    "#3d8bfd",
    "#ff7043",
    "#e78ac3",
    "#9be15d",
    "#aa7dff",
    "#00d5d5",
    "#d4a373",
    "#ff5c8a",
    "#88ccee",
    "#c9b458",
    "#7ad7a8",
    "#ffb3a7",
    "#b39ddb",
    "#5ec2c2",
    "#f4c95d",
    "#c0ca33",
)
"""Colours of classes by id, the same as `web/src/canvas/colours.ts`; a test compares the two."""
KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"
"""Keys of classes that name none, in the order of their ids."""


def class_cards(ontology: Ontology) -> list[dict[str, Any]]:
    """The classes as an editor shows them, in the order of their ids.

    Each has id, name, colour (`#rrggbb`), key ("" when no key is left, or the class is retired), definition, tools
    (the kinds that it allows), attributes (name, type, required, default, choices), keypoints, skeleton, and the name
    of its parent ("": none).
    """
    taken = {c.key for c in ontology.classes if c.key and not c.retired}
    free = iter([key for key in KEYS if key not in taken])
    return [_card(c, ontology, free) for c in ontology.classes]


def tools_of(class_: Class) -> tuple[str, ...]:
    """The kinds that annotations of a class may have: those it names, or all that it has the keypoints for."""
    if class_.tools:
        return class_.tools
    kinds = (kind for kind in Kind if kind is not Kind.CAPTION)
    return tuple(str(kind) for kind in kinds if kind is not Kind.KEYPOINTS or class_.keypoints)


def colour_of(class_: Class) -> str:
    """The colour of a class, `#rrggbb`."""
    return class_.colour or PALETTE[class_.id % len(PALETTE)]


def missing_attributes(class_: Class, attributes: Mapping[str, Any]) -> list[str]:
    """Names of attributes that a class requires and that are absent, or have a value of another type or choice."""
    return [
        one.name
        for one in class_.attributes
        if (one.required and attributes.get(one.name) is None)
        or (attributes.get(one.name) is not None and not one.allows(attributes[one.name]))
    ]


def published_version(conn: sa.Connection, dataset_id: str) -> int:
    """The newest published version of a dataset's guideline; 0 if nothing is published."""
    return repository.newest_published(conn, dataset_id)


def has_acknowledged(conn: sa.Connection, dataset_id: str, actor_id: str, version: int | None = None) -> bool:
    """Whether somebody acknowledged a version (None: the newest published one) or a later one; true for version 0."""
    needed = repository.newest_published(conn, dataset_id) if version is None else version
    return needed == 0 or repository.acknowledged(conn, dataset_id, actor_id) >= needed


def record_edits(
    conn: sa.Connection, dataset_id: str, label_set: str, ann_ids: Sequence[str], author: str
) -> None:
    """Record that somebody changed labels by hand under the newest published version, so that they are not stale.

    Nothing is recorded where nothing is published. After an undo the row has its earlier author, and the record does
    not count.
    """
    newest = repository.newest_published(conn, dataset_id)
    if newest and ann_ids:
        repository.record_edits(conn, dataset_id, label_set, ann_ids, newest, author, now_us())


def _card(class_: Class, ontology: Ontology, free: Iterator[str]) -> dict[str, Any]:
    parent = None if class_.parent is None else ontology.by_id(class_.parent)
    key = "" if class_.retired else class_.key or next(free, "")
    return {
        "id": class_.id,
        "name": class_.name,
        "colour": colour_of(class_),
        "key": key,
        "definition": class_.definition,
        "tools": list(tools_of(class_)),
        "attributes": [
            {
                "name": one.name,
                "type": one.type,
                "required": one.required,
                "default": one.default,
                "choices": list(one.choices),
            }
            for one in class_.attributes
        ],
        "keypoints": list(class_.keypoints),
        "skeleton": [list(edge) for edge in class_.skeleton],
        "parent": "" if parent is None else parent.name,
    }

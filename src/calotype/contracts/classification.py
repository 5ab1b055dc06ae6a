"""What kind of data a dataset holds: its class, licence, purposes and hold, as the rules of access see them.

Kept under one key of the workspace for each dataset, so that a dataset without an entry costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.store.catalog import schema

CLASSES = ("public", "internal", "confidential", "personal")
"""Classes of data, the least sensitive first."""
UNCLASSIFIED = "internal"
"""The class of a dataset that nobody has classified."""
_KEY = "classification:"
_WORKSPACE, _DATASETS = schema.workspace, schema.datasets


@dataclass(frozen=True, slots=True)
class Classification:
    """What rules may depend on.

    Args:
        data_class: One of `CLASSES`.
        licence: Of the dataset as a whole, such as CC-BY-4.0; empty where nobody has set it.
        purposes: What releases may be for; none allows any purpose.
        hold: Why nothing may be deleted, such as a legal case; empty for no hold.
    """

    data_class: str = UNCLASSIFIED
    licence: str = ""
    purposes: tuple[str, ...] = ()
    hold: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        purposes = list(self.purposes)
        return {"class": self.data_class, "licence": self.licence, "purposes": purposes, "hold": self.hold}

    @classmethod
    def of_dict(cls, value: Mapping[str, Any]) -> Classification:
        """The value of `to_dict`. A class that this version does not know is taken for the most sensitive one."""
        data_class = str(value.get("class", UNCLASSIFIED))
        return cls(
            data_class if data_class in CLASSES else CLASSES[-1],
            str(value.get("licence", "")),
            tuple(map(str, value.get("purposes", ()))),
            str(value.get("hold", "")),
        )

    def is_lower_than(self, other: Classification) -> bool:
        """Whether the class is less sensitive than another."""
        return CLASSES.index(self.data_class) < CLASSES.index(other.data_class)


def classification_of(conn: sa.Connection, dataset_id: str) -> Classification:
    """The classification of one dataset."""
    value = conn.scalar(sa.select(_WORKSPACE.c.value).where(_WORKSPACE.c.key == _KEY + dataset_id))
    return Classification() if value is None else Classification.of_dict(value)


def set_classification(conn: sa.Connection, dataset_id: str, value: Classification) -> None:
    """Replace the classification of a dataset."""
    conn.execute(_WORKSPACE.delete().where(_WORKSPACE.c.key == _KEY + dataset_id))
    conn.execute(_WORKSPACE.insert().values(key=_KEY + dataset_id, value=value.to_dict()))


def all_classifications(conn: sa.Connection) -> dict[str, Classification]:
    """Name of a dataset -> its classification, for those that have one."""
    joined = sa.select(_DATASETS.c.name, _WORKSPACE.c.value).join_from(
        _DATASETS, _WORKSPACE, _WORKSPACE.c.key == sa.literal(_KEY).concat(_DATASETS.c.id)
    )
    return {name: Classification.of_dict(value) for name, value in conn.execute(joined)}


def held_datasets(conn: sa.Connection) -> set[str]:
    """Ids of the datasets under a hold."""
    query = sa.select(_WORKSPACE.c.key, _WORKSPACE.c.value).where(
        _WORKSPACE.c.key.startswith(_KEY, autoescape=True)
    )
    return {
        key.removeprefix(_KEY) for key, value in conn.execute(query) if Classification.of_dict(value).hold
    }

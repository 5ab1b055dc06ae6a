"""What the points of an embedding map are coloured by: a split, a class, a source, or a metadata field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.curate.model import MapColourUnknown
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import Snapshot

MAX_COLOURS = 20
"""Values with a colour of their own; rarer ones share one."""
NOT_MATCHING = 255
"""The colour number of points that a query leaves out."""
_N_BINS = 8
_COLUMNS = ("split", "source", "licence", "group")


@dataclass(frozen=True, slots=True)
class Colours:
    """A colour for each point.

    Attributes:
        numbers: (N,) uint8, the position of the point's value in `values`.
        values: Each value and its number of points, the most frequent first; None stands for all rarer values together.
    """

    numbers: npt.NDArray[np.uint8]
    values: tuple[tuple[str | None, int], ...]


def ways(snapshot: Snapshot) -> list[str]:
    """What the points can be coloured by."""
    return ["class", *_COLUMNS, *(f"field:{name}" for name in snapshot.fields)]


def colours(snapshot: Snapshot, ids: pa.Array, by: str, *, label_set: str = DEFAULT_LABEL_SET) -> Colours:
    """Colours of these samples.

    Args:
        by: One of `ways`; a class is the most frequent one of the sample.
    Raises: MapColourUnknown.
    """
    if by not in ways(snapshot):
        raise MapColourUnknown(got=by[:80], known=", ".join(ways(snapshot))[:400])
    if by == "class":
        return _coloured(_classes(snapshot, ids, label_set))
    column = "metadata" if by.startswith("field:") else by
    table = snapshot.samples(columns=["sample_id", column])
    values = (
        table[column].combine_chunks().take(pc.index_in(ids, value_set=table["sample_id"].combine_chunks()))
    )
    if column != "metadata":
        return _coloured(values)
    name = by.removeprefix("field:")
    return _coloured(_field([json.loads(text).get(name) if text else None for text in values.to_pylist()]))


def _coloured(values: pa.Array) -> Colours:
    texts = pc.fill_null(values, "")
    counted = [(row["values"], row["counts"]) for row in texts.value_counts().to_pylist()]
    counted.sort(key=lambda pair: (-pair[1], pair[0]))
    shown, rest = counted[:MAX_COLOURS], sum(count for _, count in counted[MAX_COLOURS:])
    known = pa.array([value for value, _ in shown], pa.string())
    numbers = pc.fill_null(pc.index_in(texts, value_set=known), len(shown))
    return Colours(
        numbers.to_numpy(zero_copy_only=False).astype(np.uint8),
        (*shown, *([(None, rest)] if rest else [])),
    )


def _classes(snapshot: Snapshot, ids: pa.Array, label_set: str) -> pa.Array:
    """The most frequent class of each sample; of two, the one with the lower id."""
    table = snapshot.annotations(label_set, columns=["sample_id", "class_id"])
    counted = table.group_by(["sample_id", "class_id"]).aggregate([([], "count_all")])
    order = [("sample_id", "ascending"), ("count_all", "descending"), ("class_id", "ascending")]
    ordered = counted.sort_by(order).combine_chunks()
    first = pc.index_in(ids, value_set=ordered["sample_id"].combine_chunks())
    names = {c.id: c.name for c in snapshot.ontology.classes}
    class_ids = ordered["class_id"].combine_chunks().take(first)
    texts = [None if id_ is None else names.get(id_, f"#{id_}") for id_ in class_ids.to_pylist()]
    return pa.array(texts, pa.string())


def _field(values: list[Any]) -> pa.Array:
    """Values of a field as texts; numbers with many different values in ranges that hold equally many samples."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(set(numbers)) <= MAX_COLOURS:
        return pa.array([None if value is None else _text(value) for value in values], pa.string())
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _N_BINS + 1)))
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges.tolist())]
    last = len(names) - 1

    def named(value: Any) -> str | None:
        return (
            None
            if value is None
            else names[min(last, max(0, int(np.searchsorted(edges, value, "right")) - 1))]
        )

    return pa.array([named(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

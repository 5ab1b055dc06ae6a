"""Types of metadata fields. A field gets its type from its first value, and later values must have the same type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.datasets.model import MetadataValue
from calotype.foundation.errors import Invalid

TYPES: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "str"}
_CACHED_TEXTS = 100_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")


class MetadataInvalid(Invalid):
    """A metadata field with an invalid name, or a value whose type differs from earlier values."""

    code = "metadata-invalid"
    what = "metadata field {field!r} of {sample!r}: {detail}"
    fix = "use one type for a field in the whole dataset, and names of letters, digits, `_`, `.` and `-`"


def can_be_field(name: str) -> bool:
    """Whether a metadata field can have this name."""
    return _NAME.fullmatch(name) is not None


def learn(
    known: Mapping[str, str], samples: Iterable[tuple[str, Mapping[str, MetadataValue]]]
) -> dict[str, str]:
    """The field types of a dataset after adding samples, given as name and metadata.

    An int field becomes float when a float value is added.

    Raises: MetadataInvalid.
    """
    types = dict(known)
    for sample, metadata in samples:
        for name, value in metadata.items():
            if name not in types and not _NAME.fullmatch(name):
                raise MetadataInvalid(where=sample, field=name[:80], sample=sample, detail="not a valid name")
            types[name] = _merged_type(types.get(name), name, value, sample)
    return types


def _merged_type(known_kind: str | None, name: str, value: MetadataValue, sample: str) -> str:
    kind = TYPES.get(type(value))
    if kind is None:
        raise MetadataInvalid(
            where=sample, field=name, sample=sample, detail=f"{type(value).__name__} is not a metadata type"
        )
    if known_kind is None or known_kind == kind:
        return kind
    if {known_kind, kind} == {"int", "float"}:
        return "float"
    detail = f"is {kind}, but earlier values are {known_kind}"
    raise MetadataInvalid(where=sample, field=name, sample=sample, detail=detail)


def parsed(texts: Iterable[str | None]) -> Iterator[dict[str, Any]]:
    """The values of each text of a column of JSON objects (metadata, attributes); equal texts are parsed once."""
    known: dict[str, dict[str, Any]] = {}
    for text in texts:
        values = known.get(text) if text else {}
        if values is None and text:
            values = json.loads(text)
            if len(known) < _CACHED_TEXTS:
                known[text] = values
        yield values or {}


def newest_date_us(values: Iterable[Any]) -> int | None:
    """The newest date among ISO 8601 texts (UTC unless they say otherwise), in microseconds since 1970."""
    dates = []
    for value in values:
        try:
            dates.append(datetime.fromisoformat(str(value)))
        except ValueError:
            continue
    aware = [date if date.tzinfo else date.replace(tzinfo=UTC) for date in dates]
    return int(max(aware).timestamp() * 1e6) if aware else None


def tracks_of(
    attributes: Mapping[int, str],
    sample_of: npt.NDArray[np.int64],
    metadata: Sequence[Mapping[str, Any]],
    groups: npt.NDArray[Any],
) -> list[list[tuple[float, int]]]:
    """The frames and rows of each track, in order of frames: one `track_id` in one `video` and group.

    Args:
        attributes: Row of an annotation -> its attributes as JSON, with a `track_id`.
        sample_of: (N,) the sample of each annotation; negative: none.
        metadata: Of each sample; those without a number as `frame` are left out.
        groups: (S,) of each sample.
    """
    tracks: dict[tuple[str, str, str], list[tuple[float, int]]] = {}
    for row, values in zip(attributes, parsed(attributes.values()), strict=True):
        sample = int(sample_of[row])
        frame = metadata[sample].get("frame") if sample >= 0 else None
        if isinstance(frame, int | float) and "track_id" in values:
            key = (str(metadata[sample].get("video", "")), str(groups[sample]), str(values["track_id"]))
            tracks.setdefault(key, []).append((float(frame), row))
    return [sorted(places) for places in tracks.values()]

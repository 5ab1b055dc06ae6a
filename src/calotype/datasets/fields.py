"""Typed metadata: each field of a dataset has one type, learned when it is first seen and kept from then on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from calotype.datasets.model import MetadataValue
from calotype.foundation.errors import Invalid

TYPES: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "str"}
_CACHED_TEXTS = 100_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")


class MetadataInvalid(Invalid):
    """A metadata field has a bad name or a value of another type than before."""

    code = "metadata-invalid"
    what = "metadata field {field!r} of {sample!r}: {detail}"
    fix = "use one type for a field in the whole dataset, and names of letters, digits, `_`, `.` and `-`"


def learn(
    known: Mapping[str, str], samples: Iterable[tuple[str, Mapping[str, MetadataValue]]]
) -> dict[str, str]:
    """The field types of a dataset after samples joined it, given as name and metadata of each.

    An int field widens to float when floats come.

    Raises: MetadataInvalid.
    """
    types = dict(known)
    for sample, metadata in samples:
        for name, value in metadata.items():
            if name not in types and not _NAME.fullmatch(name):
                raise MetadataInvalid(field=name[:80], sample=sample, detail="not a legal name")
            types[name] = _joined(types.get(name), name, value, sample)
    return types


def _joined(known: str | None, name: str, value: MetadataValue, sample: str) -> str:
    found = TYPES.get(type(value))
    if found is None:
        raise MetadataInvalid(field=name, sample=sample, detail=f"{type(value).__name__} is no metadata type")
    if known is None or known == found:
        return found
    if {known, found} == {"int", "float"}:
        return "float"
    raise MetadataInvalid(field=name, sample=sample, detail=f"is {found}, but was {known} so far")


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

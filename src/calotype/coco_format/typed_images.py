"""Rows of images decoded by the types of the first one, as `typed_rows` does for annotations.

Names are checked for what is unusual in any way all at once; a text with one such name goes to the reader of any row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from calotype.coco_format import rows as coco_rows
from calotype.coco_format.typed_rows import first_row, n_quotes
from calotype.formats.passthrough import MAX_NAME

_KNOWN = {"id": int, "file_name": str, "width": int, "height": int}
_KEPT_TYPES = (str, int, bool)
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_MAX_KEYS = 20
_NOT_IN_NAMES = ("\\", "\0", "//", "./", "..", ":", "\n/", "/\n", "\n.\n", "\n\n")
_Types = tuple[tuple[str, type], ...]


@dataclass(frozen=True, slots=True)
class TypedImages:
    """The images of one text: sizes are 0 where they are not stated; `extras` are the further keys as JSON texts.

    `metadata` are those that can be fields, and `licences` the numbers or names of licences; None where there are none.
    """

    ids: npt.NDArray[np.int64]
    names: list[str]
    widths: npt.NDArray[np.int64]
    heights: npt.NDArray[np.int64]
    extras: list[str]
    metadata: list[str] | None
    licences: list[Any] | None

    def __len__(self) -> int:
        return len(self.names)


def typed_images(text: bytes) -> TypedImages | None:
    """The images of a list; None where not all of them are of usual keys, types and names.

    Raises: DecodeError for what is not JSON.
    """
    row = first_row(text)
    types = tuple((key, type(value)) for key, value in row.items())
    if not _are_usual(dict(types)):
        return None
    decoders = _decoders(types)
    try:
        rows = decoders.all.decode(text)
        n_texts = sum(kind is str for _, kind in types)
        if n_quotes(text) != 2 * len(rows) * (len(types) + n_texts):
            return None  # a key occurs twice, or a text has an escaped quote
        return _columns(text, rows, dict(types), decoders)
    except (msgspec.ValidationError, OverflowError):
        return None


def _are_usual(types: Mapping[str, type]) -> bool:
    return (
        types.get("id") is int
        and types.get("file_name") is str
        and len(types) <= _MAX_KEYS
        and all(
            kind is _KNOWN[key] if key in _KNOWN else kind in _KEPT_TYPES and _KEY.fullmatch(key)
            for key, kind in types.items()
        )
    )


def _columns(
    text: bytes, rows: list[Any], types: Mapping[str, type], decoders: _Decoders
) -> TypedImages | None:
    n = len(rows)
    names = list(map(attrgetter("file_name"), rows))
    # larger numbers are neither ids nor metadata
    whole = {
        key: np.fromiter(map(attrgetter(key), rows), np.int64, n)
        for key, kind in types.items()
        if kind is int
    }
    if not _are_plain(names) or (whole["id"] == -(2**63)).any():
        return None
    sides = np.zeros((2, n), np.int64)
    if {"width", "height"} <= types.keys():
        sides = np.stack([whole["width"], whole["height"]])
        sides[:, ((sides <= 0) | (sides > coco_rows.LARGEST)).any(axis=0)] = 0
    return TypedImages(
        whole["id"],
        names,
        sides[0],
        sides[1],
        _texts(decoders.extra.decode(text)),
        None if decoders.metadata is None else _texts(decoders.metadata.decode(text)),
        list(map(attrgetter("license"), rows)) if types.get("license") in (int, str) else None,
    )


def _are_plain(names: Sequence[str]) -> bool:
    """Whether all are relative posix paths as they stand."""
    joined = "\n{}\n".format("\n".join(names))
    return not any(part in joined for part in _NOT_IN_NAMES) and max(map(len, names), default=0) <= MAX_NAME


_encode_lines = msgspec.json.Encoder().encode_lines


def _texts(rows: list[Any]) -> list[str]:
    """Each row as a JSON text."""
    return _encode_lines(rows).decode().split("\n")[:-1]


@dataclass(frozen=True, slots=True)
class _Decoders:
    """Of all keys, of those that are kept, and of those that become metadata: the keys of the last two sorted."""

    all: msgspec.json.Decoder[Any]
    extra: msgspec.json.Decoder[Any]
    metadata: msgspec.json.Decoder[Any] | None


@lru_cache(maxsize=100)
def _decoders(types: _Types) -> _Decoders:
    def decoder(fields: Sequence[tuple[str, type]], *, is_all: bool = False) -> msgspec.json.Decoder[Any]:
        row = msgspec.defstruct("Image", fields, forbid_unknown_fields=is_all, gc=False)
        return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]

    kept = sorted(field for field in types if field[0] not in ("file_name", "width", "height"))
    described = [field for field in kept if field[0] not in ("id", "license")]
    return _Decoders(decoder(types, is_all=True), decoder(kept), decoder(described) if described else None)

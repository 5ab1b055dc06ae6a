"""XML files of the usual shape, taken apart by patterns, several times faster than by a parser.

A pattern takes only what every XML parser would read in the same way. A file with anything else in it (a comment, an
entity, an attribute, a part that is not a plain box, a number that cannot be one) is left to the parsers as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPACE = r"[ \t\n]*"
_TEXT = bytes((9, 10, *range(32, 127)))
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_MAX_BYTES = 1_000_000


def _leaf(tag: str, inner: str = "([^<&]*)") -> str:
    return f"<{tag}>{inner}</{tag}>{_SPACE}"


def _group(tag: str, inner: str) -> str:
    return f"<{tag}>{_SPACE}{inner}</{tag}>{_SPACE}"


def _number(tag: str) -> str:
    return _leaf(tag, rf"{_SPACE}(-?[0-9]{{1,15}}(?:\.[0-9]{{0,20}})?){_SPACE}")


_INNER = "[^<&]*"
_ANY_LEAVES = rf"(?:<([A-Za-z_]\w*)>{_INNER}</\%d>{_SPACE})*"
_SIZE = _group("size", f"{_leaf('width')}{_leaf('height')}(?:{_leaf('depth', _INNER)})?")
_HEAD = re.compile(
    rf"""(?:<\?xml version=(?:"1\.0"|'1\.0')(?: encoding=(?:"utf-8"|'utf-8'|"UTF-8"|'UTF-8'))? ?\?>)?{_SPACE}"""
    rf"""<annotation(?: verified="(?:yes|no)")?>{_SPACE}"""
    rf"(?:{_leaf('folder')})?(?:{_leaf('filename')})?(?:{_leaf('path', _INNER)})?"
    rf"(?:{_group('source', _ANY_LEAVES % 3)})?(?:{_group('owner', _ANY_LEAVES % 4)})?"
    rf"(?:{_SIZE})?(?:{_leaf('segmented', _INNER)})?",
    re.ASCII,
)
_FLAGS = (
    rf"((?:<(?:pose|truncated|difficult|occluded)>[^<&]*</(?:pose|truncated|difficult|occluded)>{_SPACE})*)"
)
_FLAG = re.compile(r"<(\w+)>([^<&]*)</(\w+)>")
_OBJECT = re.compile(
    rf"<object>{_SPACE}{_leaf('name')}{_FLAGS}<bndbox>{_SPACE}{_number('xmin')}"
    rf"(?:{_number('xmax')})?{_number('ymin')}(?:{_number('xmax')})?{_number('ymax')}"
    rf"</bndbox>{_SPACE}{_FLAGS}</object>{_SPACE}"
)
_END = re.compile(rf"</annotation>{_SPACE}")


UsualObject = tuple[str, str, tuple[float, float, float, float]]
"""A box: its class as written, the text of its elements `pose`, `truncated` and the like, and its corners."""


@dataclass(frozen=True, slots=True)
class UsualFile:
    """What is used of a file; texts as written, empty where there is none."""

    folder: str
    filename: str
    size: tuple[str, str]
    objects: list[UsualObject]


def read_usual(data: bytes) -> UsualFile | None:
    """The content of a file of the usual shape; None for a file that a parser has to read."""
    if len(data) > _MAX_BYTES or b"]]>" in data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if data.translate(None, _TEXT) and _NOT_XML.search(text):
        return None
    head = _HEAD.match(text)
    if head is None:
        return None
    objects: list[UsualObject] = []
    at = head.end()
    while (match := _OBJECT.match(text, at)) is not None:
        name, before, x1, x2, y1, later_x2, y2, after = match.groups()
        if (x2 is None) is (later_x2 is None):
            return None
        objects.append((name, before + after, (float(x1), float(y1), float(x2 or later_x2), float(y2))))
        at = match.end()
    if _END.fullmatch(text, at) is None:
        return None
    folder, filename, _, _, width, height = head.groups()
    return UsualFile(folder or "", filename or "", (width or "", height or ""), objects)


def flags_of(text: str) -> list[tuple[str, str | None]] | None:
    """The elements in the second part of a `UsualObject` in their order, each with its text; None where one repeats."""
    found = _FLAG.findall(text)
    tags = {opened for opened, _, closed in found if opened == closed}
    return [(tag, inner or None) for tag, inner, _ in found] if len(tags) == len(found) else None

"""The XML files of Pascal VOC: opened without entities or documents from elsewhere, and written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from calotype.formats.base import LabelFileUnreadable
from calotype.foundation.durable import read_file
from calotype.trainer_formats.voc.plain_xml import read_plain

MAX_BYTES = 20_000_000
MAX_DEPTH = 100
_HINT = "export the file again; it is broken as a whole"
_MANY_TAGS = 200
"""Files with fewer are not deep, and their depth is not counted."""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Element(Protocol):
    """What is used of a parsed XML element."""

    @property
    def tag(self) -> str: ...
    @property
    def text(self) -> str | None: ...

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Element]: ...
    def find(self, path: str) -> Element | None: ...
    def findall(self, path: str) -> Sequence[Element]: ...
    def findtext(self, path: str) -> str | None: ...


class OtherXml(LabelFileUnreadable):
    """An XML file that is sound, and not an annotation."""


def load(file: Path) -> Element:
    """The element `annotation` of a file. Raises: LabelFileUnreadable, OtherXml."""
    return parsed(contents(file), file)


def contents(file: Path | str) -> bytes:
    """The bytes of a file. Raises: LabelFileUnreadable."""
    try:
        data = read_file(file, max_bytes=MAX_BYTES)
    except OSError as error:
        detail = f"it cannot be read: {error.strerror or type(error).__name__}"
        raise refused(file, detail, "check the path and its permissions") from None
    if data is None:
        raise refused(file, f"it is larger than {MAX_BYTES // 1_000_000} MB", _HINT)
    return data


def parsed(data: bytes, file: Path | str) -> Element:
    """The element `annotation` of the bytes of a file. Raises: LabelFileUnreadable, OtherXml."""
    try:
        plain = read_plain(data)
        tree: Element = fromstring(data, forbid_dtd=True) if plain is None else plain
    except (ParseError, DefusedXmlException, RecursionError, ValueError, LookupError) as error:
        raise refused(file, str(error)[:200] or type(error).__name__, _HINT) from None
    if data.count(b"<") > _MANY_TAGS and _depth(tree) > MAX_DEPTH:
        raise refused(file, f"its elements are nested deeper than {MAX_DEPTH} levels", _HINT)
    if tree.tag != "annotation":
        detail = f"its top element is {tree.tag[:40]!r}, not `annotation`"
        name = Path(file).name
        raise OtherXml(where=name, file=name, format="Pascal VOC", detail=detail, hint=_HINT)
    return tree


def _depth(tree: Element) -> int:
    """How many elements are inside each other, counted up to just above the limit."""
    depth, level = 0, [tree]
    while level and depth <= MAX_DEPTH:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth


def text_of(element: Element, path: str) -> str:
    """The text of an element below, without space around it; empty where there is none."""
    return (element.findtext(path) or "").strip()


def leaf(tag: str, value: object, depth: int) -> str:
    """A line with one element; characters that XML cannot hold are replaced."""
    text = _NOT_XML.sub("\ufffd", str(value))
    return f"{'  ' * depth}<{tag}>{escape(text)}</{tag}>"


def refused(file: Path | str, detail: str, hint: str) -> LabelFileUnreadable:
    """The error for a file that cannot be read as a whole."""
    name = Path(file).name
    return LabelFileUnreadable(where=name, file=name, format="Pascal VOC", detail=detail, hint=hint)

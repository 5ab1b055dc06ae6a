"""XML files of annotation tools, read whole within limits; no document type, no entity, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from calotype.formats.json_text import file_bytes, refused

_MAX_BYTES = 500_000_000


class Element(Protocol):
    """What is used of a parsed XML element."""

    tag: str
    text: str | None

    def get(self, key: str) -> str | None: ...
    def find(self, path: str) -> Element | None: ...
    def findall(self, path: str) -> list[Element]: ...
    def findtext(self, path: str) -> str | None: ...
    def iter(self, tag: str) -> Iterator[Element]: ...
    def __iter__(self) -> Iterator[Element]: ...


def load(file: Path, title: str, top: str) -> Element:
    """The top element of a file, which must have this tag. Raises: LabelFileUnreadable."""
    data = file_bytes(file, title, max_bytes=_MAX_BYTES)
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, RecursionError, ValueError, LookupError) as error:
        raise refused(file, title, str(error)[:200] or type(error).__name__) from None
    if root.tag != top:
        raise refused(file, title, f"its top element is {root.tag[:40]!r}, not `{top}`")
    return root


def named(parent: Element | None, path: str) -> str:
    """The text of the element at a path, without blanks around it; empty where there is none."""
    return "" if parent is None else (parent.findtext(path) or "").strip()


def whole_or_none(written: str | None) -> int | None:
    """A whole number below a thousand million given as a text; None for anything else."""
    stripped = (written or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 10 else None

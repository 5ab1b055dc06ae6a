"""Text from outside, made safe to print: names and messages must not drive a terminal or a spreadsheet."""

from __future__ import annotations

import re

# C0 without tab and line feed, DEL and C1; marks that reorder text; line separators; halves of UTF-16 pairs, which no
# terminal can encode. Source of the reordering marks: Unicode Technical Report 36, section 3.2 (bidirectional text).
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_BREAKS = re.compile("[\t\n]")
_JSON_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    """The text with control characters, reordering marks and unpaired surrogates as escapes (`\\x1b`, `\\u202e`).

    Tabs and line feeds stay.
    """
    return _UNSAFE.sub(_escape, text)


def one_line(text: str) -> str:
    """`printable`, with tabs and line feeds as escapes too: for a cell of a table."""
    return _BREAKS.sub(_escape, printable(text))


def printable_json(text: str) -> str:
    """JSON text with the same characters as JSON escapes; parsing gives the same values."""
    return _JSON_UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def spreadsheet_cell(text: str) -> str:
    """The text of a CSV cell that no spreadsheet takes for a formula: `'` goes before `=`, `+`, `-`, `@`, tab, return.

    Source: OWASP, "CSV Injection".
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\t\n\r":
        return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}[match[0]]
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"

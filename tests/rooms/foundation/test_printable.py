"""Text from outside on a terminal, in JSON and in a spreadsheet."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from calotype.foundation import terminal
from calotype.foundation.printable import one_line, printable, printable_json, spreadsheet_cell

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
REORDERING = {"RLE", "LRE", "RLO", "LRO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def drives_a_terminal(character: str) -> bool:
    """Whether a character controls a terminal, reorders text, or cannot be encoded."""
    control = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in "\t\n"
    return control or unicodedata.bidirectional(character) in REORDERING


@given(ANY_TEXT)
def test_what_is_printed_drives_no_terminal(text):
    assert not any(drives_a_terminal(character) for character in printable(text))
    assert len(one_line(text).splitlines()) <= 1
    printable(text).encode("utf-8")


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=40))
def test_ordinary_text_of_any_script_stays(text):
    assert printable(text) == text


@given(ANY_TEXT)
def test_json_is_safe_to_print_and_parses_to_the_same_value(text):
    shown = printable_json(json.dumps({"name": text}, ensure_ascii=False))
    assert json.loads(shown) == {"name": text}
    assert not any(drives_a_terminal(character) for character in shown)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(text):
    assert spreadsheet_cell(text) == f"'{text}"


def test_an_ordinary_cell_stays():
    assert spreadsheet_cell("a=b.jpg") == "a=b.jpg"


@pytest.mark.parametrize(
    "content",
    [
        Text("a\x1b]0;title\x07b"),
        terminal.table(["name"], [["x\x1b[2J\n\u202ey"]]),
        terminal.facts({"name": "\x9b31m"}),
    ],
)
def test_a_console_shows_escape_sequences_instead_of_obeying_them(content):
    console: Console = terminal.console()
    console.file, console._force_terminal = io.StringIO(), False
    console.print(content)
    assert not any(drives_a_terminal(character) for character in console.file.getvalue())
    assert "\\x" in console.file.getvalue()

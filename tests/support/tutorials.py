"""A tutorial of the app as a script: its numbered steps are done literally, in a real browser.

Within a step, `**bold**` is clicked, `` `code` `` is typed after the word "type" and pressed as a key otherwise, and
`*italic*` has to be visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from playwright.sync_api import Locator, Page, expect

_STEP = re.compile(r"^\d+\. .*(?:\n   .*)*", re.MULTILINE)
_PART = re.compile(r"\*\*(?P<click>[^*]+)\*\*|\*(?P<see>[^*]+)\*|(?P<verb>\w+) `(?P<code>[^`]+)`")


def actions(text: str) -> Iterator[tuple[str, str]]:
    """What the steps ask for, in order: ("click" | "see" | "type" | "press", name)."""
    for step in _STEP.findall(text):
        for part in _PART.finditer(" ".join(step.split())):
            if part["click"]:
                yield "click", part["click"]
            elif part["see"]:
                yield "see", part["see"]
            else:
                yield "type" if part["verb"].lower() == "type" else "press", part["code"]


def replay(page: Page, text: str) -> list[tuple[str, str]]:
    """Do every step, at the pace of a person who looks before typing; returns what was done."""
    done = list(actions(text))
    for kind, name in done:
        dialog = page.get_by_role("dialog")
        if kind == "click":
            _named(page, name).click()
        elif kind == "see":
            words = page.get_by_text(re.compile(rf"\b{re.escape(name)}\b"))
            expect(words.filter(visible=True).first).to_be_visible()
        elif kind == "type":
            page.wait_for_function("document.activeElement.matches('input, textarea')")
            page.keyboard.type(name)
        else:
            ends_dialog = name == "Enter" and dialog.count() > 0
            page.keyboard.press(name)
            if ends_dialog:
                expect(dialog).to_have_count(0)
    return done


def _named(page: Page, name: str) -> Locator:
    """The first control of this name, in the dialog where one is open; its name may go on with a number."""
    dialog = page.get_by_role("dialog")
    place = dialog if dialog.count() else page
    whole = re.compile(rf"^{re.escape(name)}( .*|:.*)?$", re.DOTALL)
    every = place.get_by_role("link", name=whole).or_(place.get_by_role("button", name=whole))
    every = every.or_(place.get_by_role("checkbox", name=whole)).or_(place.get_by_role("option", name=whole))
    return every.filter(visible=True).first

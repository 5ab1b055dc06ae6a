"""Every page, as everybody sees it: in both themes, on small screens, zoomed, by a screen reader, from a bare link."""

from __future__ import annotations

from collections import Counter

import pytest
from playwright.sync_api import Request
from tests.support.every_page import (
    BARE,
    EXPLAINED,
    Traffic,
    addresses,
    in_scheme,
    live_in,
    opened,
    signed_in,
    violations,
    watched,
)
from tests.support.serving import served
from tests.support.stories import draw_raw

import calotype as ct

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREENS = {"1440": (1440, 900), "1024": (1024, 768), "200 %": (720, 450)}
"""At 200 % a window of 1440 px has room for 720."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """One served workspace for the file; no test changes it."""
    folder = tmp_path_factory.mktemp("world")
    lived = live_in(folder / "ws", draw_raw(folder))
    with served(folder / "ws") as server:
        yield server, lived


def looked_at(browser, server, pages):
    """What is wrong with these pages, in both themes and on every screen."""
    wrong: list[str] = []
    context = signed_in(browser, server, reduced_motion="reduce", color_scheme="light")
    seen = watched(context, server)
    for name, path in pages.items():
        seen.page.set_viewport_size({"width": 1440, "height": 900})
        opened(seen.page, server, path)
        for screen, (width, height) in SCREENS.items():
            seen.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                in_scheme(seen.page, scheme)
                where = f"{name}, {screen}, {scheme}"
                wrong += [f"{where}: {line}" for line in violations(seen.page)]
            wide = seen.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            wrong += [f"{name}, {screen}: scrolls sideways by {wide} px"] if wide > 0 else []
        refusal = f"status of {EXPLAINED.get(name, 'none')} "
        wrong += [f"{name}: {problem}" for problem in seen.problems if refusal not in problem]
        seen.problems.clear()
    context.close()
    return wrong


def test_every_page_is_clean_in_both_themes_on_every_screen(browser, world):
    server, lived = world
    wrong = looked_at(browser, server, addresses(lived))
    assert not wrong, "\n".join(wrong)


def test_pages_without_contents_are_clean_too(browser, world, tmp_path):
    wrong = looked_at(browser, world[0], BARE)
    ct.open(tmp_path / "none").close()
    with served(tmp_path / "none") as server:
        wrong += looked_at(browser, server, {"no datasets": "", "no runs": "runs", "first audit": "audit"})
    assert not wrong, "\n".join(wrong)


def test_no_page_has_two_commands_on_one_key(browser, world):
    server, lived = world
    context = signed_in(browser, server)
    page = context.new_page()
    for name, path in addresses(lived).items():
        opened(page, server, path)
        page.keyboard.press("?")
        sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
        sheet.wait_for()
        keys = sheet.locator(".keys").evaluate_all(
            "all => all.map((one) => [...one.children].map((cap) => cap.textContent).join(' '))"
        )
        assert [key for key, times in Counter(keys).items() if times > 1] == [], name
        assert "?" in keys
    context.close()


IDS = """() => {
  const shown = 'img[src*="/media/"], img[src*="/thumbs/"], a[href*="/samples/"]';
  return [...document.querySelectorAll("main")].flatMap((main) => [...main.querySelectorAll(shown)])
    .map((one) => one.getAttribute("src") ?? one.getAttribute("href").replace(/[?].*/, ""));
}"""


def settled(page):
    """The samples on the page once a second look shows the same."""
    before, traffic = None, Traffic(page)
    while (shown := page.evaluate(IDS)) != before:
        before = shown
        traffic.settle()
    traffic.stop()
    return shown


@pytest.mark.parametrize(
    "path",
    [
        "d/shop/samples?where=class+%3D+%22dog%22&sort=-name",
        "d/shop/samples?ref=release/1.0.0&sort=-annotations&size=160",
        "d/shop/samples?at=20&size=400",
        "d/shop/samples?against=release/1.0.0&colour=author&size=300",
        "d/shop/samples?show=objects&of=dog&at=3&size=160",
        "d/shop/findings?severity=warning",
        "d/shop/merges?merge={merge}&at=1",
        "d/shop/samples/{sample}?where=class+%3D+%22dog%22&sort=-name",
        "d/shop/diff?a=release/1.0.0&change=moved",
        "d/shop/diff?a=release/1.0.0&mode=side",
    ],
)
def test_a_link_shows_the_same_samples_in_a_fresh_browser(browser, world, path):
    server, lived = world
    shown = []
    address = path.format(merge=lived.merge, sample=lived.sample)
    for _ in range(2):
        context = signed_in(browser, server, viewport={"width": 1440, "height": 900})
        page = context.new_page()
        drawn: set[str] = set()

        def note(request: Request, drawn: set[str] = drawn) -> None:
            if "/media/" in request.url:
                drawn.add(request.url)

        page.on("request", note)
        opened(page, server, address)
        shown.append(settled(page) or sorted(drawn))
        address = page.url.removeprefix(server.url)
        context.close()
    assert shown[0] and shown[0] == shown[1]

"""The grid of objects in a real browser: one class, its place in the address, one object, and many at once."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from playwright.sync_api import expect
from tests.support.every_page import AXE, violations
from tests.support.serving import served

import calotype as ct

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(raw, tmp_path):
    """A workspace with 12 cars and 12 dogs, one on each image."""
    with ct.open(tmp_path / "ws") as ws:
        ds = ws.create("shop")
        ds.add_images(raw / "images", licence="CC0-1.0")
        ds.add_annotations(raw / "instances.json")
        ds.commit("first")
    return tmp_path / "ws"


def classes(workspace) -> Counter[str]:
    """How many annotations each class has in the working state."""
    with ct.open(workspace) as ws:
        state = ws.dataset("shop").where().snapshot()
        names = {one.id: one.name for one in state.ontology.classes}
        return Counter(names[class_id] for class_id in state.annotations()["class_id"].to_pylist())


def test_objects_of_a_class_are_found_opened_and_changed_at_once(page, shop):
    page.context.add_init_script(path=AXE)
    page.emulate_media(reduced_motion="reduce")
    with served(shop) as server:
        page.goto(server.link)
        page.goto(f"{server.url}d/shop/samples?size=320")
        page.get_by_role("radio", name="Objects").click()
        grid = page.get_by_role("grid", name="Objects")
        cells = grid.get_by_role("gridcell")
        expect(page.get_by_text("24 objects", exact=True)).to_be_visible()
        page.get_by_role("complementary", name="Classes and filters").get_by_role(
            "button", name="dog"
        ).click()
        expect(page.get_by_text("12 objects", exact=True)).to_be_visible()
        expect(cells.first.get_by_role("link", name="dog")).to_be_visible()
        assert violations(page) == []

        page.keyboard.press("End")
        last = page.locator("#cell-11")
        expect(last.get_by_role("link", name="dog")).to_be_in_viewport()
        expect(page).to_have_url(re.compile("[?&]top="))
        page.reload()
        expect(last.get_by_role("link", name="dog")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="23.png")).to_be_visible()
        expect(page.get_by_text("12 of 12 objects")).to_be_visible()
        expect(page).to_have_url(re.compile("of=dog.*&ann="))
        page.keyboard.press("k")
        expect(page.get_by_role("heading", name="21.png")).to_be_visible()
        page.go_back()
        expect(last.get_by_role("link", name="dog")).to_be_in_viewport()

        page.keyboard.press("ControlOrMeta+a")
        bar = page.get_by_role("region", name="Selection")
        expect(bar.get_by_text("12 selected")).to_be_visible()
        page.keyboard.press("l")
        bar.get_by_role("combobox", name="Class").fill("car")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Set class car: 12 objects changed")).to_be_visible()
        assert classes(shop) == {"car": 24}
        expect(page.get_by_role("heading", name="No objects")).to_be_visible()
        page.keyboard.press("ControlOrMeta+z")
        expect(page.get_by_text("Undone: Set class car")).to_be_visible()
        expect(page.get_by_text("12 objects", exact=True)).to_be_visible()
        assert classes(shop) == {"car": 12, "dog": 12}

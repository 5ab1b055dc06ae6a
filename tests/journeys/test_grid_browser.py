"""The grid in a real browser: a range is selected, tagged at once, counted, and undone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.support.serving import served

import calotype as ct

pytestmark = pytest.mark.browser


def tagged(workspace) -> list[str]:
    """Names of the samples with the tag, in the working state."""
    with ct.open(workspace) as ws:
        return sorted(sample.name for sample in ws.dataset("shop").where('tags has "look-again"'))


def test_a_range_is_selected_tagged_and_undone(page, raw, tmp_path):
    with ct.open(tmp_path / "ws") as ws:
        ds = ws.create("shop")
        ds.add_images(raw / "images", licence="CC0-1.0")
        ds.add_annotations(raw / "instances.json")
        ds.commit("first")
        names = sorted(sample.name for sample in ds.where())
    with served(tmp_path / "ws") as server:
        page.goto(server.link)
        page.goto(f"{server.url}d/shop/samples")
        cells = page.get_by_role("grid", name="Samples").get_by_role("gridcell")
        cells.nth(1).click(modifiers=["ControlOrMeta"])
        cells.nth(4).click(modifiers=["Shift"])
        bar = page.get_by_role("region", name="Selection")
        expect(bar.get_by_text("4 selected")).to_be_visible()
        page.keyboard.press("Shift+ArrowRight")
        expect(bar.get_by_text("5 selected")).to_be_visible()

        page.keyboard.press("t")
        bar.get_by_role("combobox", name="Tag to add").fill("look-again")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Add tag look-again: 5 samples changed")).to_be_visible()
        assert tagged(tmp_path / "ws") == names[1:6]

        filters = page.get_by_role("complementary", name="Classes and filters")
        filters.get_by_role("button", name="look-again 5").click()
        expect(page.get_by_text("5 of 24 samples")).to_be_visible()
        page.go_back()
        expect(page.get_by_text("24 samples", exact=True)).to_be_visible()
        page.keyboard.press("ControlOrMeta+z")
        expect(page.get_by_text("Undone: Add tag look-again")).to_be_visible()
        expect(filters.get_by_role("button", name="look-again")).to_be_hidden()
        assert tagged(tmp_path / "ws") == []

        page.keyboard.press("ControlOrMeta+a")
        expect(bar.get_by_text("24 selected")).to_be_visible()
        page.keyboard.press("Escape")
        expect(bar).to_be_hidden()

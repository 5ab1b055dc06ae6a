"""Editing on a branch in a real browser: the branch is picked, samples are tagged there, undone twice and committed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.support.serving import served

import calotype as ct

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(raw, tmp_path):
    """A workspace whose dataset has a protected main."""
    with ct.open(tmp_path / "ws") as ws:
        ds = ws.create("shop")
        ds.add_images(raw / "images", licence="CC0-1.0")
        ds.add_annotations(raw / "instances.json")
        ds.commit("first")
        ds.protect("main", {"gates": True})
    return tmp_path / "ws"


def tags(workspace, ref: str) -> list[tuple[str, ...]]:
    """The tags of the tagged samples of a state."""
    with ct.open(workspace) as ws:
        return [tuple(sample.tags) for sample in ws.dataset("shop").at(ref) if sample.tags]


def test_one_edits_undoes_and_commits_on_a_branch(page, shop):
    with served(shop) as server:
        page.goto(server.link)
        page.goto(f"{server.url}d/shop/samples")
        note = page.get_by_role("region", name="Protected branch")
        expect(note.get_by_text("main is protected")).to_be_visible()
        note.get_by_role("button", name="Create a branch").click()
        page.get_by_role("textbox", name="Name").fill("night")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="State shown: branch night")).to_be_visible()
        expect(page).to_have_url(f"{server.url}d/shop/samples?ref=night%2B")

        page.get_by_role("grid", name="Samples").get_by_role("gridcell").nth(1).click(
            modifiers=["ControlOrMeta"]
        )
        bar = page.get_by_role("region", name="Selection")
        for tag in ("dusk", "rain"):
            expect(bar.get_by_role("button", name="Add tag")).to_be_visible()
            page.keyboard.press("t")
            bar.get_by_role("combobox", name="Tag to add").fill(tag)
            page.keyboard.press("Enter")
            expect(page.get_by_text(f"Add tag {tag}: 1 sample changed")).to_be_visible()
        staged = page.get_by_role("region", name="Staged edits")
        expect(staged.get_by_text("2 staged edits on night")).to_be_visible()
        page.keyboard.press("ControlOrMeta+z")
        page.keyboard.press("ControlOrMeta+z")
        expect(staged.get_by_text("No staged edits on night")).to_be_visible()
        assert tags(shop, "night+") == []
        page.keyboard.press("ControlOrMeta+Shift+z")
        expect(staged.get_by_text("1 staged edit on night")).to_be_visible()

        staged.get_by_role("textbox", name="Commit message").fill("dusk")
        page.keyboard.press("Enter")
        expect(page.get_by_text("on night", exact=False).first).to_be_visible()
        expect(staged.get_by_text("staged edit on night")).to_be_hidden()
    assert tags(shop, "night") == [("dusk",)]
    assert tags(shop, "main") == []

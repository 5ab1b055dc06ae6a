"""The story from pictures to a release, told in a real browser on the real server."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.support.kinds import SHIP, SIZE_WH, WORDS, make_kinds
from tests.support.serving import served

import calotype as ct
from calotype.store.store import create_workspace
from calotype.vision.corners import corners_of

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(tmp_path, raw):
    """A served workspace with pictures and labels that nobody committed yet."""
    with ct.open(tmp_path / "ws") as ws:
        ds = ws.create("shop")
        ds.add_images(raw / "images", licence="CC0-1.0")
        ds.add_annotations(raw / "instances.json")
    with served(tmp_path / "ws") as server:
        yield server


def test_a_lost_link_leads_to_the_page_that_asks_for_the_token(page, shop):
    page.goto(shop.url)
    page.get_by_role("textbox", name="Token").fill(shop.token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="shop").first).to_be_visible()


def test_from_samples_to_a_release(page, shop):
    page.goto(shop.link)
    page.get_by_role("link", name="shop").first.click()
    expect(page.get_by_text("car").first).to_be_visible()

    page.goto(f"{shop.url}d/shop/samples")
    grid = page.get_by_role("grid", name="Samples")
    expect(grid).to_be_visible()
    expect(page.get_by_text("24 samples").first).to_be_visible()
    query = page.get_by_role("combobox", name="Query")
    query.fill('class = "car"')
    query.press("Enter")
    expect(page.get_by_text("12 of 24 samples").first).to_be_visible()
    query.fill("clas =")
    query.press("Enter")
    expect(page.get_by_text("cannot parse the query").first).to_be_visible()

    page.goto(f"{shop.url}d/shop/samples")
    page.get_by_text("00.png").first.click()
    page.keyboard.press("Enter")
    expect(page.get_by_text("CC0-1.0").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("grid", name="Samples")).to_be_visible()

    page.goto(f"{shop.url}d/shop/history")
    page.get_by_role("textbox", name="Commit message").fill("first import")
    page.get_by_role("button", name="Commit", exact=True).click()
    expect(page.get_by_text("first import").first).to_be_visible()

    page.goto(f"{shop.url}d/shop/checks")
    page.get_by_role("button", name="Run").first.click()
    expect(page.get_by_text("green").first).to_be_visible()

    page.goto(f"{shop.url}d/shop/releases")
    page.get_by_role("button", name="release").first.click()
    dialog = page.get_by_role("dialog", name="New release")
    dialog.get_by_role("textbox", name="Version").fill("1.0.0")
    dialog.get_by_role("button", name="release").last.click()
    expect(dialog).to_be_hidden(timeout=120_000)
    page.goto(f"{shop.url}d/shop/releases/1.0.0")
    expect(page.get_by_text("manifest.json").first).to_be_visible()
    page.goto(f"{shop.url}audit")
    expect(page.get_by_text("release.create").first).to_be_visible()


@pytest.mark.parametrize("width", [1440, 1024])
def test_no_page_scrolls_sideways(page, shop, width):
    page.set_viewport_size({"width": width, "height": 768})
    page.goto(shop.link)
    for path in (
        "",
        "d/shop",
        "d/shop/samples",
        "d/shop/checks",
        "d/shop/findings",
        "d/shop/history",
        "d/shop/releases",
        "runs",
        "audit",
    ):
        page.goto(shop.url + path)
        expect(page.get_by_role("main")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, path


def test_conflicts_are_settled_by_key_and_land(page, tmp_path, raw):
    labels = json.loads((raw / "instances.json").read_text())
    with ct.open(tmp_path / "ws") as ws:
        ds = ws.create("shop")
        ds.add_annotations(raw / "instances.json", images=raw / "images")
        ds.commit("first")
        for name, width in (("ana", 22), ("ben", 26)):
            for one in labels["annotations"][:2]:
                one["bbox"][2] = width
            (raw / f"{name}.json").write_text(json.dumps(labels))
            branch = ds.branch(name)
            branch.add_annotations(raw / f"{name}.json", images=raw / "images")
            branch.commit(name)
        ds.merge("ana")
        assert ds.merge("ben").state == "open"
    with served(tmp_path / "ws") as server:
        page.goto(server.link)
        page.get_by_role("link", name="shop").first.click()
        page.get_by_role("link", name="Merges").click()
        page.get_by_role("link", name="ben").click()
        expect(page.get_by_role("button", name="2 unresolved")).to_be_disabled()
        page.get_by_role("figure", name="Theirs").get_by_text("26.0").wait_for()
        page.keyboard.press("t")
        expect(page.get_by_role("button", name="1 unresolved")).to_be_disabled()
        page.keyboard.press("o")
        page.get_by_role("button", name="Merge into main").click()
        expect(page.get_by_text("merged").first).to_be_visible()
    with ct.open(tmp_path / "ws") as ws:
        widths = ws.dataset("shop").where().snapshot().annotations()["w"].to_pylist()
        assert sorted(set(widths)) == [20.0, 22.0, 26.0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_is_listed_drawn_and_found(page, tmp_path, owner, scheme):
    store = create_workspace(owner, tmp_path / "ws")
    samples = make_kinds(owner, store)
    store.close()
    with served(tmp_path / "ws") as server:
        page.emulate_media(color_scheme=scheme)
        page.goto(server.link)
        page.goto(f"{server.url}d/kinds/samples/{samples[0].sample_id}")
        about = page.get_by_role("complementary", name="About this sample")
        for words in (
            "rotated box 120×50 30°",
            "ellipse 130×70 -25°",
            "polyline 215 px",
            "3 points",
            "track 7",
            "occluded",
            "KD-4711",
        ):
            expect(about.get_by_text(words).first).to_be_visible()
        expect(page.get_by_role("list", name="Captions").get_by_text(WORDS)).to_be_visible()
        # The middle of the ship's upper side is on its outline: its colour is there, and gone without annotations.
        outline = corners_of(SHIP)
        place = ((outline[0] + outline[2]) / 2, (outline[1] + outline[3]) / 2)
        assert until(page, lambda: near(page, place) > 0)
        page.get_by_role("button", name="Show annotations").click()
        assert until(page, lambda: near(page, place) == 0)
        page.goto(f"{server.url}d/kinds/samples?where=attributes.track_id+%3D+7")
        expect(page.get_by_text("3 samples").first).to_be_visible()
        expect(page.locator(".cell-text").first).to_contain_text("Two ships")


def until(page: Page, holds: Callable[[], bool]) -> bool:
    """Whether this holds within half a minute; shapes are drawn in slices."""
    for _ in range(150):
        if holds():
            return True
        page.wait_for_timeout(200)
    return False


def near(page: Page, place: tuple[float, float]) -> int:
    """How many pixels of the colour of rotated boxes the canvas shows within 4 px of a place on the image."""
    return int(page.evaluate(_NEAR, [*place, *SIZE_WH]))


_NEAR = """([x, y, w, h]) => {
  const canvas = document.querySelector(`.stage canvas[data-layer="shapes"]`);
  const ratio = window.devicePixelRatio || 1;
  const stage = document.querySelector(".stage");
  const [spaceW, spaceH] = [stage.clientWidth, stage.clientHeight];
  const margin = (canvas.width / ratio - spaceW) / 2;
  const scale = Math.min((spaceW - 32) / w, (spaceH - 32) / h);
  const left = ((spaceW - w * scale) / 2 + x * scale + margin) * ratio;
  const top = ((spaceH - h * scale) / 2 + y * scale + margin) * ratio;
  const { data } = canvas.getContext("2d").getImageData(left - 4, top - 4, 9, 9);
  let n = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (Math.abs(data[i]) < 24 && Math.abs(data[i + 1] - 192) < 24 && Math.abs(data[i + 2] - 139) < 24) n += 1;
  }
  return n;
}"""

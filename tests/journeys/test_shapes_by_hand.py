"""Shapes edited by mouse and by keys in a real browser, read back through Python: what was drawn is stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.support.kinds import CELL, SHIP, SIZE_WH, every_kind, make_kinds
from tests.support.serving import served

import calotype as ct
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Kind
from calotype.store.store import create_workspace
from calotype.vision import masks, polygons
from calotype.vision.corners import rectangle_of

pytestmark = pytest.mark.browser

MARGIN_PX = 16
"""Room that the page leaves around an image that fits its window."""


FITTED = """() => {
  const [stage, top] = ["", " canvas[data-layer=top]"].map((inside) => document.querySelector(".stage" + inside));
  return stage && top && stage.clientHeight === Math.round(parseFloat(top.style.height));
}"""
"""Whether the image is drawn to the size of its window, which the bar of staged edits makes smaller a frame later."""


@pytest.fixture
def harbour(tmp_path, owner):
    """A workspace with one image under an annotation of every kind, and a second label set; committed."""
    store = create_workspace(owner, tmp_path / "ws")
    (sample,) = make_kinds(owner, store, n=1)
    copies = [a for a in every_kind(sample.sample_id, 7) if a.kind in (Kind.BOX, Kind.POLYGON)]
    datasets.apply(owner, "kinds", Change(put_annotations={"model:v1": copies}), store=store)
    store.close()
    with ct.open(tmp_path / "ws") as ws:
        ws.dataset("kinds").commit("first")
    return tmp_path / "ws", sample.sample_id


def test_a_rotated_box_and_a_mask_are_edited_undone_and_committed(page, harbour):
    path, sample_id = harbour
    before = rows(path)
    with served(path) as server:
        page.goto(server.link)
        page.goto(f"{server.url}d/kinds/samples/{sample_id}")
        screen = opened(page)

        select(page, "a rotated box")
        screen.drag((SHIP.cx_px, SHIP.cy_px), (SHIP.cx_px + 30, SHIP.cy_px + 12))
        staged(page, 1)
        knob = screen.knob(SHIP.cx_px + 30, SHIP.cy_px + 12, SHIP.h_px, SHIP.angle_deg)
        screen.drag_px(knob, screen.at(SHIP.cx_px + 130, SHIP.cy_px + 12))
        staged(page, 2)
        page.keyboard.press("Control+z")
        staged(page, 1)
        page.keyboard.press("t")
        staged(page, 2)

        select(page, "a mask")
        page.keyboard.press("p")
        expect(page.get_by_role("button", name="Brush")).to_have_attribute("aria-pressed", "true")
        screen.drag((170, 260), (215, 260))
        staged(page, 3)
        page.keyboard.press("x")
        screen.drag((60, 240), (150, 240))
        staged(page, 4)
        page.keyboard.press("Control+z")
        staged(page, 3)
        page.keyboard.press("Escape")

        commit(page)
    after = rows(path)
    assert {row["kind"] for key, row in after.items() if shape(row) != shape(before[key])} == {
        "rotated_box",
        "mask",
    }
    ship = rectangle_of(of_kind(after, "rotated_box")["rings"][0])
    assert (ship.cx_px, ship.cy_px) == pytest.approx((SHIP.cx_px + 30, SHIP.cy_px + 12), abs=1.5)
    assert (ship.w_px, ship.h_px) == pytest.approx((SHIP.w_px, SHIP.h_px), abs=0.06)
    assert ship.angle_deg == pytest.approx(SHIP.angle_deg + 15, abs=0.01)
    assert_painted(of_kind(after, "mask"))


def test_a_keypoint_and_an_ellipse_are_edited_by_keys_alone(page, harbour):
    path, sample_id = harbour
    with served(path) as server:
        page.goto(server.link)
        page.goto(f"{server.url}d/kinds/samples/{sample_id}")
        opened(page)
        select(page, "a keypoints")
        page.keyboard.press("v")
        page.keyboard.press("h")
        staged(page, 1)
        expect(page.get_by_role("combobox", name="Visibility of left")).to_have_value("1")
        select(page, "a ellipse")
        for key in ("Shift+ArrowRight", "Shift+R", "v", "Shift+ArrowLeft"):
            page.keyboard.press(key)
        commit(page)
    after = rows(path)
    assert of_kind(after, "keypoints")["keypoints"][:3] == [480.0, 330.0, 1.0]
    ellipse = rectangle_of(of_kind(after, "ellipse")["rings"][0])
    assert ellipse.angle_deg == pytest.approx(-26.0, abs=0.01)
    assert ellipse.w_px > 130


def test_several_label_sets_are_drawn_in_one_pane(page, harbour):
    path, sample_id = harbour
    with served(path) as server:
        page.goto(server.link)
        page.goto(f"{server.url}d/kinds/samples/{sample_id}")
        opened(page)
        total = len(list(Kind))
        expect(page.get_by_role("img", name=f"kinds-0.png, {total} annotations")).to_be_visible()
        page.get_by_role("checkbox", name="Draw model:v1").check()
        expect(page.get_by_role("img", name=f"kinds-0.png, {total + 2} annotations")).to_be_visible()
        address = page.url
        page.goto(f"{server.url}d/kinds/samples")
        page.goto(address)
        expect(page.get_by_role("img", name=f"kinds-0.png, {total + 2} annotations")).to_be_visible()
        page.get_by_role("checkbox", name="Draw ground_truth").uncheck()
        expect(page.get_by_role("img", name="kinds-0.png, 2 annotations")).to_be_visible()


@dataclass(frozen=True)
class Screen:
    """Where the pixels of the image are on the screen while the image fits its window, which edits make smaller."""

    page: Page

    def _view(self) -> tuple[float, float, float]:
        self.page.wait_for_function(FITTED)
        box = self.page.get_by_role("group", name="Image").bounding_box()
        assert box is not None
        width, height = SIZE_WH
        scale = min((box["width"] - 2 * MARGIN_PX) / width, (box["height"] - 2 * MARGIN_PX) / height)
        left, top = (box["width"] - width * scale) / 2, (box["height"] - height * scale) / 2
        return box["x"] + left, box["y"] + top, scale

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place of the image, on the screen."""
        left, top, scale = self._view()
        return left + x * scale, top + y * scale

    def knob(self, x: float, y: float, height: float, angle_deg: float) -> tuple[float, float]:
        """The knob of a rotated box: beyond the middle of its first side."""
        angle = math.radians(angle_deg)
        right, down = math.sin(angle), -math.cos(angle)
        px, py = self.at(x + right * height / 2, y + down * height / 2)
        return px + 26 * right, py + 26 * down

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one place of the image to another."""
        self.drag_px(self.at(*start), self.at(*end))

    def drag_px(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one place of the screen to another."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=6)
        self.page.mouse.up()


def opened(page: Page) -> Screen:
    """The image of the page, drawn."""
    page.wait_for_function(
        """() => document.querySelector('.stage canvas[data-layer="shapes"]')?.style.visibility === "visible\""""
    )
    return Screen(page)


def select(page: Page, name: str) -> None:
    """Select an annotation in the list, with the whole image in sight and in focus."""
    page.get_by_role("complementary", name="About this sample").get_by_role("listitem").get_by_text(
        name, exact=True
    ).first.click()
    page.get_by_role("region", name=f"Edit the {name}").wait_for()
    page.get_by_role("group", name="Image").focus()
    page.keyboard.press("0")


def staged(page: Page, n: int) -> None:
    """Wait for this number of staged edits."""
    bar = page.get_by_role("region", name="Staged edits")
    expect(bar.get_by_text(f"{n} staged edit{'' if n == 1 else 's'}", exact=True)).to_be_visible()
    expect(bar.get_by_text("saving")).to_have_count(0)


def commit(page: Page) -> None:
    """Commit what is staged, after what is on its way."""
    bar = page.get_by_role("region", name="Staged edits")
    bar.get_by_role("textbox", name="Commit message").fill("by hand")
    page.keyboard.press("Enter")
    expect(bar).to_be_hidden()


def rows(path: Any) -> dict[str, dict[str, Any]]:
    """The annotations of the ground truth by id."""
    with ct.open(path) as ws:
        return {row["ann_id"]: row for row in ws.dataset("kinds").where().annotations().to_pylist()}


def of_kind(found: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one annotation of a kind."""
    return next(row for row in found.values() if row["kind"] == kind)


def shape(row: dict[str, Any]) -> tuple[Any, ...]:
    """What a person draws of an annotation."""
    return tuple(row[name] for name in ("x", "y", "w", "h", "rings", "keypoints", "mask_rle"))


def assert_painted(row: dict[str, Any]) -> None:
    """The cell with one stroke: more pixels, none fewer, and the area and the box of what is stored."""
    width, height = SIZE_WH
    rle = masks.from_string(row["mask_rle"], (height, width))
    mask = masks.decode(rle)
    cell = polygons.rasterise([CELL], size_hw=(height, width))
    assert mask[cell].all()
    assert mask[260, 190:213].all()
    assert not mask[285, 200]
    assert row["area_px"] == mask.sum() == rle.area_px
    assert (row["x"], row["y"], row["w"], row["h"]) == rle.bbox_xywh_px()

"""The pixels of the grids: annotations are drawn where they are, in the colour of their class, on one canvas a row."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.support.kinds import SIZE_WH, make_kinds
from tests.support.serving import served

import calotype as ct
from calotype.store.store import create_workspace

pytestmark = pytest.mark.browser

BOX_XYWH = (30, 360, 120, 80)
"""The box of `tests.support.kinds`, in pixels of the image."""

READ = """(x, y) => {
  const [canvas, image] = [".row-board", ".cell-image img"].map((one) => document.querySelector(one));
  const [board, drawn] = [canvas.getBoundingClientRect(), image.getBoundingClientRect()];
  const [width, height] = SIZE;
  const scale = Math.min(drawn.width / width, drawn.height / height);
  const left = drawn.left + (drawn.width - width * scale) / 2, top = drawn.top + (drawn.height - height * scale) / 2;
  const ratio = canvas.width / board.width;
  const at = [left + x * scale - board.left, top + y * scale - board.top].map((one) => Math.round(one * ratio));
  const { data } = canvas.getContext("2d").getImageData(at[0] - 3, at[1], 7, 1);
  return Array.from({ length: 7 }, (_, n) => [...data.slice(4 * n, 4 * n + 4)]);
}""".replace("SIZE", str(list(SIZE_WH)))
"""Seven pixels of the first row's canvas about a place of the first image: red, green, blue and alpha of each."""

IS_COLOURED = f"""([x, y, colour]) => ({READ})(x, y).some(
  (pixel) => pixel[3] > 200 && colour.every((part, n) => Math.abs(part - pixel[n]) < 30),
)"""
IS_CLEAR = f"([x, y]) => ({READ})(x, y).every((pixel) => pixel[3] === 0)"


@pytest.fixture
def harbour(tmp_path, owner):
    """A workspace of 20 images with an annotation of every kind."""
    store = create_workspace(owner, tmp_path / "ws")
    make_kinds(owner, store, n=20)
    store.close()
    with ct.open(tmp_path / "ws") as ws:
        ws.dataset("kinds").commit("first")
    return tmp_path / "ws"


@pytest.mark.parametrize("address", ["samples?size=320", "samples?size=320&show=objects&of=a+box"])
def test_a_box_is_drawn_at_its_edges_in_the_colour_of_its_class(page, harbour, address):
    with served(harbour) as server:
        page.goto(server.link)
        page.goto(f"{server.url}d/kinds/{address}")
        page.wait_for_function("() => document.querySelector('.cell-image img')?.dataset.state === 'there'")
        x, y, width, height = BOX_XYWH
        colour = class_colour(page, "a box")
        for edge in (x, x + width):
            page.wait_for_function(IS_COLOURED, arg=[edge, y + height / 2, colour])
        assert page.evaluate(IS_CLEAR, [x + width / 2, y + height / 2])

        canvases = page.locator(".grid-row canvas").count()
        assert canvases == page.locator(".grid-row").count() < page.locator(".cell").count()

        page.keyboard.press("a")
        expect(page.get_by_role("button", name="Show annotations")).to_have_attribute("aria-pressed", "false")
        page.wait_for_function(IS_CLEAR, arg=[x, y + height / 2])


def class_colour(page: Page, name: str) -> list[int]:
    """The colour of a class in the list of classes."""
    row = (
        page.get_by_role("complementary", name="Classes and filters").locator(".facet").filter(has_text=name)
    )
    text = row.first.locator(".swatch i").evaluate("(swatch) => getComputedStyle(swatch).borderTopColor")
    return [int(part) for part in text.removeprefix("rgb(").removesuffix(")").split(",")]

"""Labelling in a real browser: what is drawn is stored at once, and comes back whatever happens to tab or network."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.support.desk import Desk
from tests.support.kinds import make_kinds
from tests.support.serving import served

from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.labelling import service as labelling
from calotype.labelling.model import BatchOptions
from calotype.store.store import create_workspace

pytestmark = pytest.mark.browser

WIDTH_PX, HEIGHT_PX = 640, 480
TAB_KILLS = int(os.environ.get("CALOTYPE_TAB_KILLS", "8"))
FREE = 150
"""Corner of the part of the image in which the tests draw, in its pixels."""


@pytest.fixture
def batch(tmp_path: Path, owner: Actor) -> Path:
    """A workspace with three images in an open batch that everyone may label."""
    store = create_workspace(owner, tmp_path / "ws")
    make_kinds(owner, store, n=3)
    datasets.commit(owner, "kinds", "first", store=store)
    labelling.open_batch(owner, "kinds", "one", store=store, options=BatchOptions(review=0.0))
    store.close()
    return tmp_path / "ws"


@contextmanager
def at_work(page: Page, workspace: Path) -> Iterator[Desk]:
    """A server, and the page in the editor of the first assignment."""
    with served(workspace) as server:
        page.goto(server.link)
        page.goto(f"{server.url}annotate")
        page.get_by_role("button", name="Next image").click()
        page.wait_for_url("**/annotate/*")
        yield Desk(page, server.url).ready()


def test_every_tool_draws_and_is_there_after_a_reload(page: Page, batch: Path) -> None:
    with at_work(page, batch) as desk:
        for tool, draw in TOOLS.items():
            before = set(desk.drawn())
            desk.press("v", "Escape", TOOLS_KEYS[tool])
            draw(desk)
            desk.press("v")
            desk.saved()
            (new,) = set(desk.drawn()) - before
            assert desk.drawn()[new]["kind"] == tool
            desk.press("Control+z")
            desk.saved()
            assert new not in desk.drawn(), tool
            desk.press("Control+Shift+z")
            desk.saved()
            assert desk.drawn()[new]["kind"] == tool
        kinds = sorted(row["kind"] for row in desk.drawn().values())
        page.reload()
        desk.ready()
        assert sorted(row["kind"] for row in desk.drawn().values()) == kinds == sorted(TOOLS)
        # An undo of what was done before the reload.
        desk.press("Control+z")
        desk.saved()
        assert len(desk.drawn()) == len(TOOLS) - 1


def draw_box(desk: Desk) -> None:
    desk.drag((FREE, 20), (FREE + 60, 50))


def draw_rotated(desk: Desk) -> None:
    desk.drag((260, 20), (300, 30))
    desk.click((290, 60))


def draw_polygon(desk: Desk) -> None:
    desk.click((20, 20), (60, 20), (60, 60))
    desk.press("Enter")


def draw_line(desk: Desk) -> None:
    desk.click((20, 100), (60, 110), (20, 130))
    desk.press("Enter")


def draw_mask(desk: Desk) -> None:
    desk.drag((250, 200), (290, 210), (260, 230))


def draw_ellipse(desk: Desk) -> None:
    desk.drag((330, 300), (380, 330))


def draw_point(desk: Desk) -> None:
    desk.click((620, 20))


def draw_joints(desk: Desk) -> None:
    desk.click((600, 200), (620, 200), (610, 240))
    desk.press("Enter")


TOOLS = {
    "box": draw_box,
    "rotated_box": draw_rotated,
    "polygon": draw_polygon,
    "polyline": draw_line,
    "mask": draw_mask,
    "ellipse": draw_ellipse,
    "point": draw_point,
    "keypoints": draw_joints,
}
TOOLS_KEYS = {
    "box": "b",
    "rotated_box": "r",
    "polygon": "p",
    "polyline": "l",
    "mask": "m",
    "ellipse": "e",
    "point": "d",
    "keypoints": "k",
}


def test_shapes_are_edited_by_mouse_and_by_keys(page: Page, batch: Path) -> None:
    with at_work(page, batch) as desk:
        desk.press("b")
        draw_box(desk)
        desk.press("v")
        desk.saved()
        (box,) = desk.drawn()
        desk.drag((FREE + 30, 35), (FREE + 40, 45))
        desk.press("Shift+ArrowRight", "ArrowDown", "ArrowDown")
        desk.saved()
        x, y, w, h = desk.drawn()[box]["bbox"]
        assert (x, y, w, h) == pytest.approx((FREE + 20, 32, 60, 30), abs=1.5)
        desk.press("Control+d")
        desk.saved()
        assert len(desk.drawn()) == 2
        desk.press("Delete")
        desk.saved()
        assert list(desk.drawn()) == [box]

        desk.press("Escape", "p")
        draw_polygon(desk)
        desk.press("v")
        desk.saved()
        (polygon,) = set(desk.drawn()) - {box}
        desk.press(";", "Enter")
        desk.saved()
        assert len(desk.drawn()[polygon]["rings"][0]) == 8
        desk.press("c")
        desk.click((50, 25), (57, 25), (57, 32))
        desk.press("Enter")
        desk.saved()
        assert desk.drawn()[polygon]["kind"] == "mask"


def test_operations_without_a_network_are_all_there_once_it_is_back(page: Page, batch: Path) -> None:
    with at_work(page, batch) as desk:
        page.context.set_offline(True)
        desk.press("d")
        places = [(20 + 8 * (n % 75), 8 + 6 * (n // 75)) for n in range(200)]
        desk.click(*places)
        expect(page.locator(".saved")).to_contain_text("200 waiting")
        page.context.set_offline(False)
        desk.saved()
        rows = desk.drawn()
        assert len(rows) == 200
        assert desk.work()["to_undo"] == 200


def test_a_tab_that_is_killed_loses_nothing_that_was_drawn(browser: Browser, batch: Path) -> None:
    chance = random.Random(int(os.environ.get("CALOTYPE_SEED", "19")))
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(120_000)
    with at_work(context.new_page(), batch) as desk:
        address, n = desk.page.url, 0
        for _ in range(TAB_KILLS):
            slow = chance.random() < 0.5
            if slow:  # operations that are on their way when the tab ends
                desk.page.route("**/operations", lambda route: None)
            desk.press("d")
            for _ in range(chance.randrange(1, 6)):
                desk.click((20 + 9 * (n % 60), 10 + 8 * (n // 60)))
                n += 1
            expect(desk.page.get_by_role("region", name="All annotations")).to_contain_text("point")
            stored(desk.page, at_least=1 if slow else 0)
            desk.page.close(run_before_unload=False)
            desk.page = context.new_page()
            desk.page.goto(address)
            desk.ready()
            assert len(desk.drawn()) == n
    context.close()


def stored(page: Page, *, at_least: int) -> None:
    """Wait until the browser's database has the operations."""
    page.wait_for_function(
        """(least) => new Promise((resolve) => {
          const opening = indexedDB.open('calotype-outbox', 1);
          opening.onsuccess = () => {
            const counting = opening.result.transaction('operations').objectStore('operations').count();
            counting.onsuccess = () => { opening.result.close(); resolve(counting.result >= least); };
          };
        })""",
        arg=at_least,
    )


def test_submitting_goes_on_with_the_next_image(page: Page, batch: Path) -> None:
    with at_work(page, batch) as desk:
        seen = {desk.assignment}
        for _ in range(2):
            desk.press("b")
            draw_box(desk)
            desk.press("Control+Enter")
            page.wait_for_function(
                "(before) => !before.includes(location.pathname.split('/').pop())", arg=list(seen)
            )
            desk.ready()
            assert desk.assignment not in seen
            seen.add(desk.assignment)
            assert desk.drawn() == {}
        desk.press("v", "Escape", "Shift+f")
        desk.saved()
        desk.press("Control+Enter")
        page.wait_for_url("**/annotate")
        expect(page.get_by_text("Submitted")).to_be_visible()

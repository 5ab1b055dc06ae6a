"""Two annotators and a reviewer, each in a browser of their own, take a batch from its opening to a release.

Both label every image without seeing the other's work. `CALOTYPE_BATCH_IMAGES` says how many images; with
`CALOTYPE_DEV_DATA` they are real ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.support.accounts import become_owner, join, someone
from tests.support.desk import Desk
from tests.support.images import draw as drawn
from tests.support.images import encode
from tests.support.serving import served_to_team

import calotype as ct
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.actor import Actor
from calotype.store import open_workspace
from calotype.vision.ontology import Ontology

pytestmark = [pytest.mark.browser, pytest.mark.slow]

N = int(os.environ.get("CALOTYPE_BATCH_IMAGES", "5"))
API = "api/v1"
BO, CHI, RAE = "bo@example.org", "chi@example.org", "rae@example.org"
HERE, ELSEWHERE = (0.2, 0.2, 0.6, 0.6), (0.3, 0.25, 0.8, 0.75)
"""Corners of a box, in shares of the image: where both see the car, and where one sees it on the first image."""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of images: real ones where they are given."""
    folder = tmp_path / "raw"
    folder.mkdir()
    given = os.environ.get("CALOTYPE_DEV_DATA")
    found = [path.read_bytes() for path in sorted(Path(given).rglob("*.jpg"))[: 2 * N]] if given else []
    written = list(dict.fromkeys(found))[:N] or [
        encode(drawn(n, size_wh=(640, 480), n_boxes=5)) for n in range(N)
    ]
    for n, data in enumerate(written):
        (folder / f"{n:03}.jpg").write_bytes(data)
    return folder


@pytest.fixture
def team(
    tmp_path: Path, images: Path, owner: Actor, browser: Browser
) -> Iterator[tuple[str, Path, list[Page]]]:
    """A team server with the owner Ana, the annotators Bo and Chi, and the reviewer Rae, all signed in."""
    expect.set_options(timeout=60_000)
    with ct.open(tmp_path / "ws") as ws:
        dataset = ws.create("roads")
        dataset.add_images(images)
    store = open_workspace(tmp_path / "ws")
    classes = Change(ontology=Ontology().add("car").add("bus"))
    datasets.apply(owner, "roads", classes, store=store)
    datasets.commit(owner, "roads", "images and classes", store=store)
    store.close()
    with served_to_team(tmp_path / "ws") as (url, link):
        ana, bo, chi, rae = pages = [someone(browser).new_page() for _ in range(4)]
        become_owner(ana, link, "Ana", "ana@example.org")
        expect(ana.get_by_role("link", name="roads").first).to_be_visible()
        for page, name, email, role in (
            (bo, "Bo", BO, "annotator"),
            (chi, "Chi", CHI, "annotator"),
            (rae, "Rae", RAE, "reviewer"),
        ):
            join(ana, page, url, name, email)
            post(ana, url, "grants", {"who": email, "role": role, "on": "dataset:roads", "reason": "journey"})
        yield url, tmp_path / "ws", pages
        for page in pages:
            page.context.close()


def post(page: Page, url: str, path: str, body: dict[str, Any]) -> Any:
    """A request with the session of a browser."""
    answer = page.request.post(f"{url}{API}/{path}", data=body, headers={"origin": url.rstrip("/")})
    assert answer.ok, answer.text()
    return answer.json()


def open_batch(ana: Page, url: str) -> None:
    ana.goto(f"{url}d/roads/batches")
    ana.get_by_role("button", name="Open a batch").click()
    form = ana.get_by_role("dialog", name="Open a batch")
    form.get_by_label("Name").fill("first")
    form.get_by_label("Who labels").fill(f"{BO}, {CHI}")
    form.get_by_label("Who reviews").fill(RAE)
    form.get_by_label("People for each image").fill("2")
    form.get_by_label("Reviewed, percent").fill("100")
    form.get_by_role("button", name="Open the batch").click()
    expect(ana.get_by_text(f"Opened first with {N} images")).to_be_visible()


def begin(page: Page, url: str, key: str) -> Desk:
    """The editor with the first image of the queue."""
    page.goto(f"{url}annotate")
    expect(page.get_by_role("button", name="Next image")).to_be_enabled()
    page.keyboard.press(key)
    page.wait_for_url("**/annotate/*")
    return at_desk(page, url)


def at_desk(page: Page, url: str) -> Desk:
    desk = Desk(page, url)
    sample = desk.work()["sample"]
    desk.size_px = (sample["width_px"], sample["height_px"])
    return desk.ready()


def draw(desk: Desk, box: tuple[float, float, float, float]) -> None:
    width, height = desk.size_px
    left, top, right, bottom = box
    before = len(desk.work()["annotations"])
    desk.press("b")
    expect(desk.page.locator('[data-command="tool.box"]')).to_have_attribute("aria-pressed", "true")
    desk.press("1")
    desk.drag((left * width, top * height), (right * width, bottom * height))
    expect(
        desk.page.get_by_role("region", name="All annotations").get_by_role("heading").locator("..")
    ).to_contain_text(str(before + 1))
    desk.press("v", "Escape")
    desk.saved()
    assert len(desk.work()["annotations"]) == before + 1


def go_on(desk: Desk, key: str) -> None:
    """End the work on an image by a key; the next one comes, or the list of one's own work after the last."""
    before = desk.page.url
    desk.press(key)
    desk.page.wait_for_function("(before) => location.href !== before", arg=before)


def label_all(page: Page, url: str, odd: str = "") -> None:
    """Label every image with one box; on the image `odd` it is somewhere else."""
    desk = begin(page, url, "Enter")
    for left in range(N, 0, -1):
        work = desk.work()
        assert not work["others"]
        draw(desk, ELSEWHERE if work["sample"]["name"] == odd else HERE)
        go_on(desk, "Control+Enter")
        if left > 1:
            desk = at_desk(page, url)
    page.wait_for_url("**/annotate")


def test_a_batch_goes_from_its_opening_to_a_release(team: tuple[str, Path, list[Page]]) -> None:
    url, workspace, (ana, bo, chi, rae) = team
    odd = "000.jpg"
    open_batch(ana, url)
    label_all(bo, url)
    label_all(chi, url, odd=odd)

    desk, sent_back = begin(rae, url, "r"), ""
    for left in range(N, 0, -1):
        work = desk.work()
        name = work["sample"]["name"]
        if name == odd:  # the copies differ: the other box is added, then they are looked at side by side
            draw(desk, ELSEWHERE if mine(work) == HERE else HERE)
            desk.press("\\")
            expect(rae.locator(".work-copy-name")).to_have_text([BO, CHI])
        elif not sent_back:
            sent_back = name
            desk.press("s")
            form = rae.get_by_role("form", name="Send the image back")
            form.get_by_label("Category").select_option("loose-shape")
            form.get_by_label("What is to be done").fill("closer to the wheels")
            before = rae.url
            rae.keyboard.press("Enter")
            rae.wait_for_function("(before) => location.href !== before", arg=before)
            if left > 1:
                desk = at_desk(rae, url)
            continue
        go_on(desk, "a")
        if left > 1:
            desk = at_desk(rae, url)

    redo(bo, chi, url)
    rae.goto(f"{url}annotate")
    desk = begin(rae, url, "r")
    assert desk.work()["sample"]["name"] == sent_back
    go_on(desk, "a")

    ana.goto(f"{url}d/roads/batches")
    expect(ana.get_by_text(f"{N} of {N}")).to_be_visible()
    ana.get_by_role("button", name="Close").click()
    expect(ana.get_by_text("images landed on batch/first")).to_be_visible()
    with ct.open(workspace) as ws:
        dataset = ws.dataset("roads")
        assert dataset.merge("batch/first").state == "landed"
        release = dataset.release("1.0.0")
        assert release.card["annotations"] == N + 1


def mine(work: dict[str, Any]) -> tuple[float, ...]:
    """Where the box is that the review begins with."""
    (row,) = work["annotations"]
    near = row["bbox"][0] / work["sample"]["width_px"]
    return HERE if abs(near - HERE[0]) < abs(near - ELSEWHERE[0]) else ELSEWHERE


def redo(bo: Page, chi: Page, url: str) -> None:
    """Whoever's work came back sees why and submits it again."""
    for page in (bo, chi):
        page.goto(f"{url}annotate")
        expect(page.get_by_role("heading", name="My work")).to_be_visible()
        expect(page.get_by_role("button", name="Next image")).to_be_enabled()
        expect(page.get_by_text("sent back").first).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_url("**/annotate/*")
        desk = at_desk(page, url)
        expect(page.get_by_role("region", name="Remarks and questions")).to_contain_text(
            "closer to the wheels"
        )
        go_on(desk, "Control+Enter")

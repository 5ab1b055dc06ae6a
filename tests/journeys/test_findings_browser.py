"""A curator's job in the browser: find mislabelled road users at night, fix them by key, see the gates, release."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.support.images import draw, encode
from tests.support.serving import served

import calotype as ct
from calotype.checks import service as checks
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.foundation.ids import uuid8
from calotype.store.store import create_workspace
from calotype.vision import images

pytestmark = pytest.mark.browser

N_IMAGES, N_NIGHT = 44, 24
CLASSES = ("car", "truck", "bus")
TRIAGE_S = 120.0
"""The longest that a curator may take for 20 findings."""
JOB_S = 300.0
"""The longest that a curator may take to find, fix, check and release."""


@pytest.fixture
def street(tmp_path, owner) -> Iterator[object]:
    """Images by day and night, each with a box that reaches 9 px beyond the left edge: findings with a repair."""
    store = create_workspace(owner, tmp_path / "ws")
    datasets.create(owner, "street", store=store)
    ontology = datasets.read(owner, "street", store=store).ontology
    for name in CLASSES:
        ontology = ontology.add(name)
    samples, boxes = [], []
    for number in range(N_IMAGES):
        data = encode(draw(number * 7 + 1))
        facts, put = images.probe(data), store.media.put(data)
        name = f"{number:03d}.jpg"
        light = "night" if number < N_NIGHT else "day"
        samples.append(
            Sample(
                uuid8("s", name), put.sha256, name, facts.width_px, facts.height_px, facts.mime, put.n_bytes,
                licence="CC0-1.0", names=(name,), metadata={"light": light},
            )
        )  # fmt: skip
        box = (-9.0, 5.0, 30.0, 20.0)
        boxes.append(
            Annotation(
                uuid8("a", name), samples[-1].sample_id, kind=Kind.BOX, class_id=number % 3, bbox_xywh_px=box,
                area_px=600.0,
            )
        )  # fmt: skip
    change = Change(put_samples=samples, put_annotations={"ground_truth": boxes}, ontology=ontology)
    datasets.apply(owner, "street", change, store=store)
    datasets.commit(owner, "street", "first", store=store)
    checks.check(owner, "street", store=store)
    store.close()
    with served(tmp_path / "ws") as server:
        yield server


def claim(page: Page):
    return page.get_by_role("article", name="Finding")


def row(page: Page, sample: str):
    return page.get_by_role("listbox", name="Findings").get_by_role("option").filter(has_text=sample)


def shown(page: Page, place: int) -> str:
    """The sample of the finding that is shown, once it is the one at this place."""
    expect(page.get_by_text(f"{place} of {N_NIGHT} findings")).to_be_visible()
    return str(claim(page).get_by_role("link").first.inner_text())


def test_findings_at_night_are_worked_through_by_keyboard(page, street, tmp_path, capsys):
    page.goto(street.link)
    page.goto(f"{street.url}d/street/findings?check=box-bounds")
    expect(page.get_by_text(f"of {N_IMAGES} findings")).to_be_visible()
    expect(page.get_by_text("gates green").first).to_be_visible()
    expect(page.get_by_text(f"{N_IMAGES} open warnings").first).to_be_visible()

    started = time.perf_counter()
    page.keyboard.press("/")
    page.keyboard.type('light = "night"')
    page.keyboard.press("Escape")  # closes the suggestions
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"of {N_NIGHT} findings")).to_be_visible()
    expect(claim(page)).to_contain_text("beyond the image")

    slowest = 0.0
    for place in range(17):  # accept the fix
        pressed = time.perf_counter()
        page.keyboard.press("a")
        expect(page.get_by_text(f"{place + 2} of {N_NIGHT} findings")).to_be_visible()
        slowest = max(slowest, time.perf_counter() - pressed)
    relabelled = shown(page, 18)
    page.keyboard.press("c")  # another class
    page.get_by_role("combobox", name="Class").fill("tru")
    page.keyboard.press("Enter")
    rejected = shown(page, 19)
    page.keyboard.press("x")  # reject with a reason, then repeat it
    page.get_by_role("combobox", name="Reason").fill("cut by the frame")
    page.keyboard.press("Enter")
    repeated = shown(page, 20)
    page.keyboard.press(".")
    shown(page, 21)
    triage_s = time.perf_counter() - started
    expect(row(page, relabelled)).to_contain_text("fixed")
    expect(row(page, repeated)).to_contain_text("rejected")

    page.keyboard.press("u")  # the repeated rejection
    expect(row(page, repeated)).not_to_contain_text("rejected")
    expect(row(page, rejected)).to_contain_text("rejected")

    address = page.url
    page.reload()
    shown(page, 21)
    expect(row(page, rejected)).to_contain_text("rejected")
    assert page.url == address

    page.keyboard.press("R")  # the list stays, and the re-test says what it changed
    expect(page.get_by_text("closed 17, still open 1")).to_be_visible()
    shown(page, 21)
    page.keyboard.press("Home")
    expect(row(page, shown(page, 1))).to_contain_text("closed")
    expect(page.get_by_text("gates green").first).to_be_visible()
    left = N_IMAGES - 17 - 1
    expect(page.get_by_text(f"{left} open warnings").first).to_be_visible()
    page.get_by_role("button", name="Show the new list").click()
    expect(page.get_by_text(f"of {N_NIGHT - 17 - 1} findings")).to_be_visible()

    page.keyboard.press("u")  # the next action before it, done by an earlier page: the first rejection
    expect(page.get_by_text(f"{left + 1} open warnings").first).to_be_visible()

    page.goto(f"{street.url}d/street/releases")  # see the gates, release what was fixed
    page.get_by_role("button", name="New release").click()
    form = page.get_by_role("dialog", name="New release")
    form.get_by_role("checkbox", name="Commit and release the uncommitted changes too").check()
    form.get_by_role("button", name="Release", exact=True).click()
    expect(page.get_by_text("Released 1.0.0")).to_be_visible()
    job_s = time.perf_counter() - started
    page.goto(f"{street.url}d/street/diff?a=main~1&b=main")
    expect(page.get_by_role("list", name="Kinds of change")).to_contain_text("moved")
    with capsys.disabled():
        print(f"\nfind, fix, check and release in {job_s:.1f} s")
        print(f"20 findings in {triage_s:.1f} s; slowest action {1000 * slowest:.0f} ms")
    assert triage_s < TRIAGE_S
    assert job_s < JOB_S

    with ct.open(tmp_path / "ws") as ws:
        table = ws.dataset("street").where().snapshot().annotations()
        assert sum(x >= 0 for x in table["x"].to_pylist()) == 17

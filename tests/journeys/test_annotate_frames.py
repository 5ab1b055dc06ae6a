"""Frame times of the editor with 5,000 polygons and with 200 masks on an image of 4,000 x 3,000 px."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.support.images import draw, encode
from tests.support.serving import served

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.foundation.actor import Actor
from calotype.foundation.ids import uuid8
from calotype.labelling import service as labelling
from calotype.labelling.model import BatchOptions
from calotype.store.store import create_workspace
from calotype.vision import images, masks
from calotype.vision.ontology import Ontology

pytestmark = pytest.mark.browser

WIDTH_PX, HEIGHT_PX = 4_000, 3_000
Labels = Callable[[str, int], list[Annotation]]


def polygons(sample_id: str, n: int) -> list[Annotation]:
    """Stars of 8 to 24 corners all over the image."""
    chance = random.Random(5)
    return [_star(chance, sample_id, at) for at in range(n)]


def _star(chance: random.Random, sample_id: str, at: int) -> Annotation:
    cx, cy, radius = (
        chance.uniform(60, WIDTH_PX - 60),
        chance.uniform(60, HEIGHT_PX - 60),
        chance.uniform(8, 40),
    )
    corners = chance.randrange(8, 25)
    ring: list[float] = []
    for corner in range(corners):
        r, angle = radius * chance.uniform(0.7, 1.1), 2 * math.pi * corner / corners
        ring += [round(cx + r * math.cos(angle), 1), round(cy + r * math.sin(angle), 1)]
    xs, ys = ring[::2], ring[1::2]
    box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return Annotation(
        f"{at + 1:032x}",
        sample_id,
        Kind.POLYGON,
        at % 2,
        bbox_xywh_px=box,
        rings_px=(tuple(ring),),
        area_px=box[2] * box[3],
    )


def discs(sample_id: str, n: int) -> list[Annotation]:
    """Masks of 120 to 520 px."""
    chance = random.Random(6)
    return [_disc(chance, sample_id, at) for at in range(n)]


def _disc(chance: random.Random, sample_id: str, at: int) -> Annotation:
    radius = chance.randrange(60, 260)
    cx, cy = chance.randrange(radius, WIDTH_PX - radius), chance.randrange(radius, HEIGHT_PX - radius)
    bitmap = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=bool)
    y, x = np.ogrid[-radius:radius, -radius:radius]
    bitmap[cy - radius : cy + radius, cx - radius : cx + radius] = x * x + y * y <= radius * radius
    mask = masks.encode(bitmap)
    return Annotation(
        f"{at + 1:032x}",
        sample_id,
        Kind.MASK,
        at % 2,
        bbox_xywh_px=mask.bbox_xywh_px(),
        mask_rle=masks.to_string(mask),
        mask_size_hw=mask.size_hw,
        area_px=float(mask.area_px),
    )


@pytest.mark.slow
@pytest.mark.parametrize(("what", "labels", "n"), [("polygons", polygons, 5_000), ("masks", discs, 200)])
def test_frame_times(page: Page, tmp_path: Path, owner: Actor, what: str, labels: Labels, n: int) -> None:
    with served(large(tmp_path, owner, labels, n)) as server:
        page.goto(server.link)
        page.goto(f"{server.url}annotate")
        page.get_by_role("button", name="Next image").click()
        page.wait_for_url("**/annotate/*")
        expect(page.get_by_role("img", name=f"{n} annotations")).to_be_visible()
        for _ in range(3):
            page.keyboard.press("=")
        page.wait_for_timeout(2_000)
        print(f"\n{n:,} {what}: panning, {_frames_while(page, _pan)}")
        for key in ("v", "n", "z"):
            page.keyboard.press(key)
        page.wait_for_timeout(2_000)
        print(f"{n:,} {what}: dragging one, {_frames_while(page, _drag)}")
        expect(page.locator(".saved")).to_have_text(" All saved")
        undo = page.get_by_role("button", name="Undo")
        expect(undo).to_be_enabled()


def _frames_while(page: Page, work: Callable[[Page, float, float], None]) -> str:
    box = page.locator(".stage").first.bounding_box()
    assert box is not None
    page.evaluate("__frames.start()")
    work(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    times = page.evaluate("__frames.stop()")
    assert times["frames"] > 0
    return (
        f"{times['perSecond']:.0f} frames a second,"
        f" median {times['median']:.1f} ms, p95 {times['p95']:.1f} ms, longest {times['longest']:.0f} ms"
    )


def _pan(page: Page, x: float, y: float) -> None:
    page.mouse.move(x, y)
    page.mouse.down(button="middle")
    for step in range(120):
        page.mouse.move(x + 220 * math.sin(step / 9), y + 160 * math.cos(step / 9))
    page.mouse.up(button="middle")


def _drag(page: Page, x: float, y: float) -> None:
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(x + 2 * step, y + step)
    page.mouse.up()


def large(tmp_path: Path, owner: Actor, labels: Labels, n: int) -> Path:
    """A workspace whose one image has many labels, in an open batch."""
    store = create_workspace(owner, tmp_path / "ws")
    data = encode(draw(3, size_wh=(WIDTH_PX, HEIGHT_PX), n_boxes=14), "image/jpeg")
    put, facts = store.media.put(data), images.probe(data)
    size = (facts.width_px, facts.height_px, facts.mime, put.n_bytes)
    sample = Sample(uuid8("many"), put.sha256, "many.jpg", *size, names=("many.jpg",), licence="CC0-1.0")
    change = Change(
        put_samples=[sample],
        put_annotations={"ground_truth": labels(sample.sample_id, n)},
        ontology=Ontology().add("leaf").add("stone"),
    )
    datasets.create(owner, "many", store=store)
    datasets.apply(owner, "many", change, store=store)
    datasets.commit(owner, "many", "first", store=store)
    labelling.open_batch(owner, "many", "one", store=store, options=BatchOptions(review=0.0))
    store.close()
    return tmp_path / "ws"

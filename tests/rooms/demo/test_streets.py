"""The demo's streets: repeatable, and with truth that is exactly what was drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from calotype.demo.streets import paint
from calotype.demo.streets import scenes as streets
from calotype.demo.streets.backdrop import ground_map, noise
from calotype.demo.streets.camera import CAMERAS, HEIGHT, WIDTH, Camera
from calotype.demo.streets.draw import Glow, painting_order
from calotype.demo.streets.finish import finish
from calotype.demo.streets.layout import FRAMES_PER_SCENE, Thing
from calotype.demo.streets.light import light_for
from calotype.demo.streets.mesh import mesh_marks
from calotype.demo.streets.truth import extent_of, outlines
from calotype.demo.streets.vehicles import vehicle

SEED = 7
INDICES = (0, 5, 10)
NAMES = {name for name, _ in streets.CLASSES}


@pytest.fixture(scope="module")
def scenes() -> dict[int, streets.Scene]:
    return {i: streets.render(SEED, i) for i in INDICES}


def test_a_scene_is_one_rgb_picture_with_its_facts(scenes: dict[int, streets.Scene]) -> None:
    for scene in scenes.values():
        assert scene.image.shape == (HEIGHT, WIDTH, 3)
        assert scene.image.dtype == np.uint8
        assert scene.metadata["light"] in {"day", "dusk", "night"}
        assert scene.metadata["weather"] in {"clear", "rain", "fog", "snow"}
        assert scene.metadata["camera"] in {c.name for c in CAMERAS}
        assert str(scene.metadata["captured_at"]).endswith("+00:00")
        assert abs(float(scene.metadata["luma"]) - _luma(scene.image)) < 1.5


def _luma(image: np.ndarray) -> float:
    return float((image @ np.array([0.299, 0.587, 0.114])).mean())


def test_the_same_seed_and_index_give_the_same_bytes_in_any_order(scenes: dict[int, streets.Scene]) -> None:
    again = streets.render(SEED, 5)
    assert again.image.tobytes() == scenes[5].image.tobytes()
    assert again.objects == scenes[5].objects
    assert again.metadata == scenes[5].metadata


def test_another_seed_gives_another_picture(scenes: dict[int, streets.Scene]) -> None:
    assert streets.render(SEED + 1, 5).image.tobytes() != scenes[5].image.tobytes()


def test_frames_of_one_scene_share_its_name_and_its_street() -> None:
    first, second = streets.render(SEED, 8), streets.render(SEED, 9)
    other = streets.render(SEED, 8 + FRAMES_PER_SCENE)
    assert first.metadata["scene"] == second.metadata["scene"] != other.metadata["scene"]
    assert first.metadata["captured_at"] < second.metadata["captured_at"]  # type: ignore[operator]


def test_every_box_holds_its_polygons_and_lies_in_the_image(scenes: dict[int, streets.Scene]) -> None:
    for scene in scenes.values():
        for o in scene.objects:
            x, y, w, h = o.bbox
            assert 0 <= x < x + w <= WIDTH
            assert 0 <= y < y + h <= HEIGHT
            assert max(w, h) >= 12
            assert o.polygons
            points = np.array([p for polygon in o.polygons for p in polygon])
            assert (points >= (x, y)).all()
            assert (points <= (x + w, y + h)).all()


def test_the_largest_outline_fills_about_the_area_that_is_seen(scenes: dict[int, streets.Scene]) -> None:
    for scene in scenes.values():
        for o in scene.objects:
            if o.label in {"car", "bus", "truck"} and o.area > 900:
                canvas = Image.new("1", (WIDTH * 2, HEIGHT * 2))
                for polygon in o.polygons:
                    ImageDraw.Draw(canvas).polygon([(2 * a, 2 * b) for a, b in polygon], fill=1)
                filled = float(np.asarray(canvas).sum()) / 4
                assert 0.93 * o.area < filled < 1.25 * o.area  # holes and thinning


def test_truth_names_only_the_declared_classes_and_says_what_is_hidden(
    scenes: dict[int, streets.Scene],
) -> None:
    found = [o for scene in scenes.values() for o in scene.objects]
    assert len(found) > 15
    for o in found:
        assert o.label in NAMES
        assert 0 <= o.occluded <= 0.75
        assert isinstance(o.truncated, bool)
        assert len(o.keypoints) == (17 if o.label == "person" else 0)
        if o.label == "traffic light":
            assert o.attributes["state"] in {"red", "green"}


def test_visible_keypoints_lie_in_their_persons_box(scenes: dict[int, streets.Scene]) -> None:
    for scene in scenes.values():
        for o in scene.objects:
            x, y, w, h = o.bbox
            for kx, ky, v in o.keypoints:
                assert v in (0, 1, 2)
                if v == 2:
                    assert x - 1 <= kx <= x + w + 1
                    assert y - 1 <= ky <= y + h + 1


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.9))
def test_outlines_of_any_mask_enclose_its_pieces(seed: int, share: float) -> None:
    mask = np.kron(np.random.default_rng(seed).random((7, 9)) < share, np.ones((8, 8))).astype(bool)
    box = extent_of(mask, (3, 5))
    if not mask.any():
        assert box is None
        assert outlines(mask, (3, 5)) == ()
        return
    assert box is not None
    filled = Image.new("1", (80, 80))
    for polygon in outlines(mask, (3, 5)):
        shifted = [(2 * (a - 3) - 0.5, 2 * (b - 5) - 0.5) for a, b in polygon]
        ImageDraw.Draw(filled).polygon(shifted, fill=1)
        assert all(box[0] <= a <= box[0] + box[2] and box[1] <= b <= box[1] + box[3] for a, b in polygon)
    inside = np.asarray(filled)[: mask.shape[0], : mask.shape[1]]
    assert not (mask & ~inside).any()  # nothing that is seen lies outside the outlines


def test_two_pieces_that_touch_at_a_corner_stay_two() -> None:
    mask = np.zeros((20, 20), dtype=bool)
    mask[:10, :10] = mask[10:, 10:] = True
    assert len(outlines(mask, (0, 0))) == 2


def test_a_thing_beside_a_long_one_is_painted_in_the_right_order() -> None:
    camera = Camera("c", (8.6, 0.0, 3.0), 0.0, 0.0, 600.0)
    bus = Thing("bus", 1.75, 14.0, 0.0, 0.0, 0)
    walker = Thing("person", 8.0, 18.0, 0.0, 0.0, 0)
    assert painting_order([walker, bus], camera) == [1, 0]
    assert painting_order([bus, walker], camera) == [0, 1]


def test_writing_gives_coco_with_licence_metadata_and_no_faults(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    truth = streets.write(tmp_path, n=3, seed=SEED, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    coco = json.loads(truth.annotations.read_text(encoding="utf-8"))
    assert coco["licenses"][0]["name"] == "CC0-1.0"
    assert [c["name"] for c in coco["categories"]] == [name for name, _ in streets.CLASSES]
    assert len(coco["images"]) == truth.n_images == 3
    assert len(coco["annotations"]) == truth.n_annotations
    assert len({a["id"] for a in coco["annotations"]}) == truth.n_annotations
    for image in coco["images"]:
        assert {"light", "weather", "camera", "scene", "captured_at", "license"} <= image.keys()
        with Image.open(tmp_path / "images" / image["file_name"]) as opened:
            assert opened.size == (image["width"], image["height"])
    expected = [list(o.bbox) for i in range(3) for o in streets.render(SEED, i).objects]
    assert [a["bbox"] for a in coco["annotations"]] == expected
    assert json.loads((tmp_path / "planted.json").read_text(encoding="utf-8")) == []


@pytest.mark.slow
def test_writing_twice_gives_the_same_files(tmp_path: Path) -> None:
    plan = streets.FaultPlan(exact_duplicate=1, mislabel=1, blur=1)
    for name in ("a", "b"):
        streets.write(tmp_path / name, n=4, seed=SEED, faults=plan)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert len(files) == 7
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_two_processes_write_the_same_files_as_one(tmp_path: Path) -> None:
    for workers in (1, 2):
        streets.write(tmp_path / str(workers), n=FRAMES_PER_SCENE + 1, seed=SEED, workers=workers)
    files = sorted(p.relative_to(tmp_path / "1") for p in (tmp_path / "1").rglob("*") if p.is_file())
    assert len(files) == FRAMES_PER_SCENE + 3
    for file in files:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


def test_a_sprite_is_as_large_as_its_marks_and_has_soft_edges() -> None:
    square = paint.polygons([([(10.25, 20.0), (30.25, 20.0), (30.25, 50.0), (10.25, 50.0)], (200, 100, 50))])
    disc = paint.Marks(np.array([[20.0, 60.0]]), [0, 1], [paint.DISC], np.array([8.0]), [(0, 0, 255)])
    sprite = paint.rasterise(paint.joined([square, disc]))
    assert sprite is not None
    assert sprite.inside == 1
    assert extent_of(sprite.mask, sprite.corner) == pytest.approx((10.25, 20, 20, 48), abs=0.75)
    assert sprite.full_area == pytest.approx(20 * 30 + np.pi * 64, rel=0.05)
    alpha = np.asarray(sprite.canvas.getchannel("a"))
    assert {0, 255} < set(alpha.ravel().tolist())
    x, y = sprite.corner
    assert sprite.canvas.getpixel((20 - x, 30 - y)) == (200, 100, 50, 255)
    assert sprite.canvas.getpixel((20 - x, 60 - y)) == (0, 0, 255, 255)
    assert paint.rasterise(paint.polygons([([(-9, 5), (-5, 5), (-5, 9)], (1, 2, 3))])) is None


def test_the_part_of_a_truck_that_is_nearer_is_painted_last() -> None:
    truck, light = vehicle("truck", 3, False, False), light_for("day", "clear")
    looks = []
    for y, heading in ((20.0, 0.0), (20.0, np.pi)):
        marks = mesh_marks(truck, (0.0, y, heading), CAMERAS[1], light, sunlit=1.0, lamp=0.0)
        tops = [
            float(marks.points[a:b, 1].min()) for a, b in zip(marks.starts, marks.starts[1:], strict=False)
        ]
        looks.append(tops.index(min(tops)) / len(tops))
    assert looks[0] > looks[1]  # the cargo box, the tallest part, is before us and then behind the cab


def test_light_in_the_air_brightens_and_the_lens_darkens_the_corners() -> None:
    canvas = Image.new("RGB", (WIDTH, HEIGHT), (100, 100, 100))
    light = light_for("night", "clear")
    plain = finish(canvas.copy(), [], light, np.random.default_rng(1))
    lamp = Glow((480.0, 300.0), 60.0, (1.0, 0.5, 0.2), None)
    lit = finish(canvas.copy(), [lamp], light, np.random.default_rng(1))
    middle = np.s_[290:310, 470:490]
    assert plain[middle].mean() == pytest.approx(100, abs=1.5)
    assert plain[:20, :20].mean() < plain[middle].mean() - 8
    assert lit[middle][..., 0].mean() > lit[middle][..., 2].mean() + 40
    assert (lit[:20, :20] == plain[:20, :20]).all()


def test_noise_and_ground_are_the_same_in_part_as_in_whole() -> None:
    octaves = ((5, 7, 1.0), (26, 36, 0.3))
    whole = noise(np.random.default_rng(2), (480, 300), octaves)
    part = noise(np.random.default_rng(2), (480, 300), octaves, 120)
    assert np.abs(whole[:100] - part[:100]).max() < 0.02
    x, y, depth = ground_map(CAMERAS[0], 300)
    flat, away = CAMERAS[0].project(np.array([x[200, 77], y[200, 77], 0.0]))
    assert flat == pytest.approx((77.5, 500.5), abs=0.01)
    assert away == pytest.approx(depth[200, 0], rel=1e-4)

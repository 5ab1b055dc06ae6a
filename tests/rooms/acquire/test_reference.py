"""Images registered where they lie: nothing copied, changed and vanished objects told, hashes when needed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from tests.support.images import draw, encode

from calotype.acquire import service as acquire
from calotype.acquire.intake import MediaMode, MediaModeUnknown
from calotype.acquire.labels import service as annotate
from calotype.acquire.labels.model import ImportOptions
from calotype.acquire.model import ImageOptions
from calotype.datasets import service as datasets
from calotype.store.media.references import MediaChanged, ReferenceGone

BY_REFERENCE = ImageOptions(media="reference")
_WAYS: tuple[tuple[str, MediaMode], ...] = (("copied", "copy"), ("referred", "reference"))


@pytest.fixture
def folder(tmp_path):
    """Three pictures and a text file that claims to be one."""
    place = tmp_path / "pictures"
    (place / "sub").mkdir(parents=True)
    for at, name in enumerate(("a.jpg", "b.png", "sub/c.jpg")):
        (place / name).write_bytes(
            encode(draw(at, size_wh=(40 + at, 30)), "image/png" if name == "b.png" else "image/jpeg")
        )
    (place / "d.jpg").write_text("no picture")
    return place


@pytest.fixture
def state(workspace, owner, folder):
    datasets.create(owner, "far", store=workspace)
    added = acquire.add(owner, "far", [folder], BY_REFERENCE, store=workspace)
    assert (added.added, added.quarantined) == (3, 1)
    return datasets.read(owner, "far", store=workspace)


def test_bytes_stay_where_they_are_and_are_read_from_there(state, workspace, folder):
    assert not [file for file in (workspace.folder / "media" / "sha256").rglob("*") if file.is_file()]
    for sample in state.iter_samples():
        assert state.image_bytes(sample) == (folder / sample.name).read_bytes()
        assert (sample.width_px, sample.height_px) in {(40, 30), (41, 30), (42, 30)}


def test_a_hash_is_computed_when_it_is_needed_and_kept(state, workspace, folder):
    sample = state.sample("a.jpg")
    assert sample.media_sha256.startswith("r")
    assert workspace.media.references.find(sample.media_sha256).sha256 is None
    expected = hashlib.sha256((folder / "a.jpg").read_bytes()).hexdigest()
    assert workspace.media.sha256(sample.media_sha256) == expected
    assert workspace.media.references.find(sample.media_sha256).sha256 == expected


def test_changed_and_vanished_objects_are_told_apart(state, workspace, folder):
    a, b = state.sample("a.jpg"), state.sample("b.png")
    (folder / "a.jpg").write_bytes((folder / "sub" / "c.jpg").read_bytes())
    (folder / "b.png").unlink()
    with pytest.raises(MediaChanged):
        state.image_bytes(a)
    with pytest.raises(ReferenceGone):
        state.image_bytes(b)
    keys = [sample.media_sha256 for sample in state.iter_samples()]
    states = workspace.media.references.states(keys)
    assert sorted(states.values()) == ["changed", "missing", "present"]


def test_adding_again_changes_nothing_and_a_new_edition_replaces_the_image(state, workspace, owner, folder):
    again = acquire.add(owner, "far", [folder], BY_REFERENCE, store=workspace)
    assert (again.added, again.unchanged, again.changed) == (0, 3, 0)
    (folder / "a.jpg").write_bytes(encode(draw(9, size_wh=(99, 30))))
    third = acquire.add(owner, "far", [folder], BY_REFERENCE, store=workspace)
    assert (third.added, third.unchanged, third.changed) == (0, 2, 1)
    after = datasets.read(owner, "far", store=workspace)
    assert after.sample("a.jpg").sample_id == state.sample("a.jpg").sample_id
    assert after.sample("a.jpg").width_px == 99


def test_an_unknown_way_of_taking_in_is_refused(workspace, owner, folder):
    datasets.create(owner, "far", store=workspace)
    with pytest.raises(MediaModeUnknown):
        acquire.add(owner, "far", [folder], ImageOptions(media="teleport"), store=workspace)  # type: ignore[arg-type]


def test_linked_files_share_their_bytes(workspace, owner, folder):
    datasets.create(owner, "near", store=workspace)
    acquire.add(owner, "near", [folder], ImageOptions(media="link"), store=workspace)
    sample = datasets.read(owner, "near", store=workspace).sample("a.jpg")
    assert os.path.samefile(workspace.media.path(sample.media_sha256), folder / "a.jpg")


def test_coco_by_reference_gives_the_same_dataset_as_by_copy(workspace, owner, folder):
    images = [
        {"id": 7, "file_name": "a.jpg", "width": 40, "height": 30, "shot": "day"},
        {"id": 9, "file_name": "sub/c.jpg"},
        {"id": 11, "file_name": "gone.jpg", "width": 4, "height": 4},
        {"id": 12, "file_name": "../a.jpg", "width": 4, "height": 4},
    ]
    boxes = [
        {
            "id": 1,
            "image_id": 7,
            "category_id": 1,
            "bbox": [1, 2, 3, 4],
            "area": 12,
            "iscrowd": 0,
            "note": "x",
        },
        {
            "id": 2,
            "image_id": 9,
            "category_id": 1,
            "bbox": [1.5, 2, 3, 4],
            "segmentation": [[1, 2, 4, 2, 4, 6]],
        },
        {"id": 3, "image_id": 9, "category_id": 1, "bbox": [1, 2, 0, 4]},
        {"id": 4, "image_id": 11, "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"id": 5, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5},
        {"id": 5, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 5]},
        {"image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 5]},
        {"image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 5]},
    ]
    file = folder.parent / "labels.json"
    body = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "car"}]}
    file.write_text(json.dumps(body))
    told = []
    for name, media in _WAYS:
        datasets.create(owner, name, store=workspace)
        options = ImportOptions(images=folder, media=media)
        first = annotate.import_annotations(owner, name, file, options, store=workspace)
        again = annotate.import_annotations(owner, name, file, options, store=workspace)
        assert (first.added, first.samples, first.skipped) == (4, 2, 6)
        assert (again.added, again.changed, again.unchanged) == (0, 0, 4)
        state = datasets.read(owner, name, store=workspace)
        of_name = {sample.sample_id: sample for sample in state.iter_samples()}
        told.append(
            sorted(
                (
                    of_name[a["sample_id"]].name,
                    a["kind"],
                    a["x"],
                    a["h"],
                    a["area_px"],
                    a["extra"],
                    a["source_id"],
                )
                for a in state.annotations().to_pylist()
            )
        )
        assert {s.name: (s.width_px, s.height_px) for s in of_name.values()} == {
            "a.jpg": (40, 30),
            "sub/c.jpg": (42, 30),
        }
        assert of_name[state.sample("a.jpg").sample_id].metadata == {"shot": "day"}
    assert told[0] == told[1]


def test_a_results_list_finds_its_images_by_number(workspace, owner, folder):
    datasets.create(owner, "far", store=workspace)
    file = folder.parent / "labels.json"
    images = [{"id": 7, "file_name": "a.jpg", "width": 40, "height": 30}]
    box = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}
    file.write_text(
        json.dumps({"images": images, "annotations": [box], "categories": [{"id": 3, "name": "car"}]})
    )
    options = ImportOptions(images=folder, media="reference")
    annotate.import_annotations(owner, "far", file, options, store=workspace)
    results = folder.parent / "results.json"
    found = [
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.9},
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.9},
        {"image_id": 8, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.9},
    ]
    results.write_text(json.dumps(found))
    for _ in range(2):
        made = annotate.import_annotations(
            owner, "far", results, ImportOptions(label_set="model:one"), store=workspace
        )
        assert (made.annotations, made.skipped) == (2, 1)
    state = datasets.read(owner, "far", store=workspace)
    assert state.count(label_set="model:one")["annotations"] == 2
    assert state.annotations("model:one")["score"].to_pylist() == [0.9, 0.9]
    assert state.annotations("model:one")["class_id"].to_pylist() == [3, 3]


def test_two_folders_with_the_same_names_are_known_again(state, workspace, owner, folder, tmp_path):
    other = tmp_path / "more"
    other.mkdir()
    (other / "a.jpg").write_bytes(encode(draw(9, size_wh=(50, 30)), "image/jpeg"))

    def add(place):
        return acquire.add(owner, "far", [place], BY_REFERENCE, store=workspace)

    assert add(other).added == 1
    again = add(other)
    assert (again.added, again.unchanged, again.changed) == (0, 1, 0)
    assert add(folder).unchanged == 3
    (other / "a.jpg").write_bytes(encode(draw(10, size_wh=(60, 30)), "image/jpeg"))
    changed = add(other)
    assert (changed.added, changed.unchanged, changed.changed) == (0, 0, 1)
    sizes = {s.width_px for s in datasets.read(owner, "far", store=workspace).iter_samples()}
    assert sizes == {40, 41, 42, 60}


def test_a_file_that_is_as_it_was_is_not_opened_again(state, workspace, owner, folder, monkeypatch):
    opened = []
    real = os.open

    def noted(path, *rest):
        opened.append(str(path))
        return real(path, *rest)

    monkeypatch.setattr(os, "open", noted)
    added = acquire.add(owner, "far", [folder], BY_REFERENCE, store=workspace)
    assert (added.unchanged, added.quarantined) == (3, 1)
    assert [path for path in opened if path.startswith(str(folder))] == [str(folder / "d.jpg")]


@pytest.fixture
def deep(tmp_path):
    """A folder deeper than Python's own functions go, with a picture at its end."""
    place = tmp_path / "deep"
    place.mkdir()
    end = str(place)
    for _ in range(1_200):
        end += "/a"
        os.mkdir(end)
    Path(end, "x.jpg").write_bytes(encode(draw(1, size_wh=(40, 30)), "image/jpeg"))
    yield place
    os.unlink(f"{end}/x.jpg")
    while end != str(place):
        os.rmdir(end)
        end = os.path.dirname(end)


def test_a_folder_is_walked_however_deep_and_never_in_a_circle(deep, owner, workspace):
    (deep / "circle").symlink_to(deep)
    datasets.create(owner, "deep", store=workspace)
    assert acquire.add(owner, "deep", [deep], BY_REFERENCE, store=workspace).added == 1

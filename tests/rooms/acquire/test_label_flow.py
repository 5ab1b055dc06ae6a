"""One flow for all formats: the same media modes, resumption, ids and label sets whatever the labels are written in."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from calotype.acquire import intake
from calotype.acquire.intake import MEDIA_MODES
from calotype.acquire.labels import importer, service
from calotype.acquire.labels.annotation_ids import AnnotationIds
from calotype.acquire.labels.model import ImportOptions
from calotype.datasets import service as datasets
from calotype.formats.windows import Window
from calotype.release import service as releases
from calotype.release.model import ExportSpec

SAMPLES = [f"{at:032x}" for at in (1, 2)]


@pytest.fixture
def exported(workspace, owner, raw, tmp_path):
    """The same 24 boxes as files of each format of boxes."""
    datasets.create(owner, "first", store=workspace)
    service.import_annotations(owner, "first", raw / "instances.json", store=workspace)
    for format in ("coco", "voc", "yolo"):
        releases.export(owner, "first", ExportSpec(format), tmp_path / format, store=workspace)
    return tmp_path


def boxes(workspace, owner, name):
    state = datasets.read(owner, name, store=workspace)
    table = state.annotations()
    columns = [table[column].to_pylist() for column in ("sample_id", "x", "y", "w", "h")]
    return sorted(
        (state.sample(row[0]).name.split("/")[-1], *np.round(row[1:], 6))
        for row in zip(*columns, strict=True)
    )


@pytest.mark.parametrize("format", ["voc", "yolo"])
def test_each_media_mode_gives_the_same_dataset(workspace, owner, exported, format):
    for media in MEDIA_MODES:
        datasets.create(owner, media, store=workspace)
        options = ImportOptions(format=format, media=media)
        first = service.import_annotations(owner, media, exported / format, options, store=workspace)
        again = service.import_annotations(owner, media, exported / format, options, store=workspace)
        assert (first.samples, first.added, first.skipped) == (24, 24, 0)
        assert (again.added, again.changed, again.unchanged) == (0, 0, 24)
    assert (
        boxes(workspace, owner, "copy")
        == boxes(workspace, owner, "link")
        == boxes(workspace, owner, "reference")
    )
    media_keys = [s.media_sha256 for s in datasets.read(owner, "reference", store=workspace).iter_samples()]
    assert all(key.startswith("r") for key in media_keys)


class Interrupted(Exception):
    """Stands for a kill."""


def import_until(n_images, workspace, owner, path, options):
    def progress(what, done, total):
        if what == "importing images" and done >= n_images:
            raise Interrupted

    with pytest.raises(Interrupted):
        service.import_annotations(owner, "again", path, options, store=workspace, progress=progress)
    return datasets.read(owner, "again", store=workspace).ids()


@pytest.mark.parametrize("format", ["coco", "voc", "yolo"])
def test_an_interrupted_import_is_there_whole_or_not_at_all(workspace, owner, exported, format):
    datasets.create(owner, "again", store=workspace)
    options = ImportOptions(format=format)
    assert import_until(24, workspace, owner, exported / format, options) == []
    assert service.import_annotations(owner, "again", exported / format, options, store=workspace).added == 24


def test_an_interrupted_import_of_many_images_resumes(workspace, owner, exported, monkeypatch):
    monkeypatch.setattr(intake, "CHUNK_FILES", 8)
    monkeypatch.setattr(importer, "MAX_HELD", 8)
    datasets.create(owner, "again", store=workspace)
    options = ImportOptions(format="yolo")
    ids = import_until(24, workspace, owner, exported / "yolo", options)
    assert len(ids) == 16
    assert service.import_annotations(owner, "again", exported / "yolo", options, store=workspace).added == 24
    assert set(ids) < set(datasets.read(owner, "again", store=workspace).ids())


@pytest.mark.parametrize("format", ["coco", "voc"])
def test_labels_without_annotations_add_images_and_no_label_set(workspace, owner, exported, format, tmp_path):
    if format == "voc":
        for file in (exported / "voc" / "Annotations").rglob("*.xml"):
            file.write_text(f"<annotation><filename>{file.stem}.png</filename></annotation>")
    else:
        file = exported / "coco" / "annotations" / "instances.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "annotations": []}))
    datasets.create(owner, "bare", store=workspace)
    imported = service.import_annotations(owner, "bare", exported / format, store=workspace)
    assert (imported.samples, imported.annotations) == (24, 0)
    assert datasets.read(owner, "bare", store=workspace).label_sets == ()


def window(**given):
    n = 2
    columns = {name: pa.array([float(at) for at in range(1, n + 1)]) for name in ("x", "y", "w", "h")}
    columns["score"] = pa.nulls(n, pa.float64())
    columns |= {name: pa.nulls(n, pa.list_(pa.float64())) for name in ("rings", "keypoints")}
    columns["mask_rle"] = pa.array([""] * n)
    return Window("a.json", np.arange(n), np.zeros(n, np.int64), columns=columns, **given)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            window(source_id=pa.array([7, 8])),
            ["1573a2aaede782ad9e7926221ffc5912", "323080a6e04a8e508de4ec02b0839029"],
        ),
        (
            window(source_id=pa.nulls(2, pa.int64())),
            ["897c4da57c018ec68f8406e04ae0fdac", "9d9f4fe647578fb2814a6c52065afda3"],
        ),
        (
            window(source_id=pa.array(["a", None]), identities=["id:a", "content:[]"]),
            ["3025607782058a0c95a9dafb1152bd12", "dddd0e5a66cb84a49ca6995aebe7bdca"],
        ),
    ],
)
def test_ids_are_those_of_every_earlier_version(rows, expected):
    """Pinned: with other ids, importing into an existing workspace would add everything a second time."""
    ids = AnnotationIds("ground_truth", frozenset())
    assert ids.derive(rows, pa.array(SAMPLES), np.array([3, 4], np.int32)).to_pylist() == expected

"""What a COCO export says of each kind of annotation, read by the rules of the data format page."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.support.labels import read_labels

from calotype.datasets import rows
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.exchange import registry
from calotype.formats.base import ExportSamples, Written
from calotype.vision.ontology import Ontology

SQUARE = (10.0, 10.0, 30.0, 10.0, 30.0, 20.0, 10.0, 20.0)
BOX = (10.0, 10.0, 20.0, 10.0)
EACH: dict[Kind, dict[str, Any]] = {
    Kind.BOX: {"bbox_xywh_px": BOX},
    Kind.POLYGON: {"bbox_xywh_px": BOX, "rings_px": (SQUARE,)},
    Kind.ROTATED_BOX: {"bbox_xywh_px": BOX, "rings_px": (SQUARE,)},
    Kind.ELLIPSE: {"bbox_xywh_px": BOX, "rings_px": (SQUARE,)},
    Kind.MASK: {"bbox_xywh_px": (0.0, 0.0, 64.0, 48.0), "mask_rle": "0PP3", "mask_size_hw": (48, 64)},
    Kind.KEYPOINTS: {"bbox_xywh_px": BOX, "keypoints_xyv": (11.0, 12.0, 2.0, 0.0, 0.0, 0.0)},
    Kind.POLYLINE: {"bbox_xywh_px": BOX, "rings_px": (SQUARE,)},
    Kind.POINT: {"bbox_xywh_px": (5.0, 5.0, 0.0, 0.0), "rings_px": ((5.0, 5.0),)},
    Kind.CLASSIFICATION: {},
    Kind.CAPTION: {"attributes": {"text": "two cats"}},
}


def export(out: Path, **kinds: dict[str, Any]) -> Written:
    """An export of two images of which the first has one annotation of each kind."""
    samples = [
        Sample(f"{at:032x}", f"{at:064x}", f"{at}.png", 64, 48, "image/png", 9, split="val") for at in (1, 2)
    ]
    ontology = Ontology().add("cat", id=3).add("caption", id=4)
    found = [
        Annotation(
            f"{at:032x}",
            samples[0].sample_id,
            Kind(kind),
            4 if kind == "caption" else 3,
            area_px=8.0,
            **value,
        )
        for at, (kind, value) in enumerate(kinds.items())
    ]

    def tables(columns: Sequence[str]) -> Iterator[tuple[list[Sample], pa.Table]]:
        yield (
            samples,
            rows.annotations_to_arrow(found).select(
                ["sample_id", *(column for column in columns if column != "sample_id")]
            ),
        )

    given = ExportSamples(
        ontology=ontology,
        items=lambda: iter([(samples[0], found), (samples[1], [])]),
        tables=tables,
        bring=lambda sample, target: False,
        file_name=lambda sample: sample.name,
        listed=samples,
    )
    out.mkdir(exist_ok=True)
    return registry.writer("coco").write(given, out)


@pytest.fixture
def written(tmp_path):
    result = export(tmp_path / "out", **{kind.value: value for kind, value in EACH.items()})
    return result, json.loads((tmp_path / "out/annotations/instances_val.json").read_text())


def test_each_object_has_what_the_format_asks_for(written):
    result, file = written
    assert result.n_annotations == 7
    assert [image["id"] for image in file["images"]] == [1, 2]
    assert [category["name"] for category in file["categories"]] == ["cat"]
    assert [row["id"] for row in file["annotations"]] == [1, 2, 3, 4, 5, 6]
    for row in file["annotations"]:
        assert {"image_id", "category_id", "bbox", "area", "iscrowd", "segmentation"} <= row.keys()
        assert (row["image_id"], row["category_id"], row["iscrowd"]) == (1, 3, 0)


def test_what_has_no_row_of_its_own_is_a_loss(written):
    result, _ = written
    assert {loss.what: loss.count for loss in result.losses} == {
        "annotation of kind classification": 1,
        "annotation of kind point": 1,
        "annotation of kind polyline": 1,
        "shape of a rotated_box (the polygon of its corners is kept)": 1,
        "shape of an ellipse (a polygon of 64 points is kept)": 1,
    }


def test_an_ellipse_is_a_polygon_of_points_on_it(written):
    _, file = written
    (ring,) = file["annotations"][3]["segmentation"]
    assert len(ring) == 128
    for x, y in zip(ring[::2], ring[1::2], strict=True):
        assert math.isclose(((x - 20) / 10) ** 2 + ((y - 15) / 5) ** 2, 1)


def test_a_pose_counts_its_labelled_points_and_a_mask_keeps_its_run_lengths(written):
    _, file = written
    mask, pose = file["annotations"][4:]
    assert mask["segmentation"] == {"size": [48, 64], "counts": "0PP3"}
    assert pose["num_keypoints"] == 1


def test_captions_have_a_file_of_their_own_that_lists_every_image(tmp_path, written):
    captions = json.loads((tmp_path / "out/annotations/captions_val.json").read_text())
    assert captions["annotations"] == [{"id": 1, "image_id": 1, "caption": "two cats"}]
    assert [image["file_name"] for image in captions["images"]] == ["1.png", "2.png"]
    kinds = sorted(a.drawn.kind for a in read_labels(registry.reader("coco"), tmp_path / "out").annotations)
    assert kinds == ["box", "caption", "keypoints", "mask", "polygon", "polygon", "polygon"]

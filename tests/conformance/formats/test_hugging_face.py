"""The image folder and the Parquet shards of Hugging Face datasets, by its image dataset guide and its features."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.support.exports import (
    FEW,
    box,
    image_file,
    losses,
    sample,
    shape,
    text,
    there_and_back,
    warnings,
    write,
)
from tests.support.labels import read_labels

import calotype as ct
from calotype.acquire.labels.model import NothingToImport
from calotype.datasets.model import Annotation, Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.formats.survey import Survey

FOLDER, PARQUET = registry.reader("hf-image-folder"), registry.reader("hf-parquet")
CARD = """---
dataset_info:
  features:
  - name: image
    dtype: image
  - name: objects
    sequence:
    - name: bbox
      sequence: float32
    - name: category
      dtype:
        class_label:
          names:
            '0': Coverall
            '1': Mask
---
# A set
"""


def jsonl(file: Path, *rows: Any) -> Path:
    return text(file, "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))


@pytest.fixture
def folder(tmp_path):
    for name in ("train/a.png", "train/more/b.png", "train/c.png", "test/d.png"):
        image_file(tmp_path / name)
    text(tmp_path / "README.md", CARD)
    jsonl(
        tmp_path / "train/metadata.jsonl",
        {
            "file_name": "a.png",
            "objects": {"bbox": [[1, 2.5, 3, 4], [0, 0, 9, 9]], "category": [1, 0], "area": [12, 81]},
            "light": "day",
            "tags": ["x"],
        },
        {"file_name": "more\\b.png", "objects": {"bbox": [], "category": []}, "text": "a mask"},
    )
    text(
        tmp_path / "test/metadata.csv",
        'file_name,label,objects\nd.png,cat,"[{""bbox"": [1,1,2,2], ""category"": 1}]"\n',
    )
    return tmp_path


def test_a_metadata_file_in_each_split_folder(folder):
    found = registry.detect(folder)
    assert (found.format.name, found.sighting.layout) == (
        "hf-image-folder",
        "a metadata file in each split folder",
    )
    labels = read_labels(FOLDER, folder)
    assert not labels.problems
    facts = [(r.image, r.class_name, r.drawn.kind, r.drawn.bbox_xywh_px) for r in labels.annotations]
    assert facts == [
        ("test/d.png", "cat", Kind.CLASSIFICATION, None),
        ("test/d.png", "Mask", Kind.BOX, (1, 1, 2, 2)),
        ("train/a.png", "Mask", Kind.BOX, (1, 2.5, 3, 4)),
        ("train/a.png", "Coverall", Kind.BOX, (0, 0, 9, 9)),
        ("train/more/b.png", "caption", Kind.CAPTION, None),
    ]
    images = {i.name: (i.split, i.tags, dict(i.metadata), dict(i.extra)) for i in labels.images}
    assert images == {
        "test/d.png": ("test", (), {}, {}),
        "train/a.png": ("train", (), {"light": "day"}, {"tags": ["x"]}),
        "train/more/b.png": ("train", ("background",), {}, {}),
        "train/c.png": ("train", (), {}, {}),
    }
    assert [c.name for c in labels.classes] == ["Coverall", "Mask", "caption", "cat"]
    assert warnings(FOLDER, folder) == {"image-empty": 1, "image-without-labels": 1, "name-separator": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"file_name": "a.png"', "not JSON"),
        ("[1]", "not a JSON object"),
        ({"file_name": 5}, "file_name"),
        ('{"file_name": "\\ud800.png"}', "file_name"),
        ({"file_name": "\0.png"}, "file_name"),
        ({"file_name": "../../a.png"}, "leads out"),
        ({"file_name": "/etc/a.png"}, "leads out"),
        ({"file_name": "c.png", "objects": [{"bbox": [1, 2, 3]}]}, "box"),
        ('{"file_name": "c.png", "objects": [{"bbox": [NaN, 2, 3, 4]}]}', "box"),
        ('{"file_name": "c.png", "objects": [{"bbox": [1, 2, 3, ' + "9" * 400 + "]}]}", "box"),
        ({"file_name": "c.png", "objects": [{"bbox": [1, 2, 3, 4], "category": 1.5}]}, "class"),
        ({"file_name": "c.png", "label": [True]}, "label"),
        (
            '{"file_name": "c.png", "objects": [{"bbox": [1, 2, 3, 4], "id": "\\ud800", "label": "x"}]}',
            "Unicode",
        ),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_row_that_is_broken_costs_itself(folder, row, reason):
    jsonl(folder / "train/metadata.jsonl", {"file_name": "a.png", "label": "x"}, row)
    labels = read_labels(FOLDER, folder)
    assert len(labels.annotations) == 3
    (problem,) = labels.problems
    assert problem.where.startswith("train/metadata.jsonl:2")
    assert reason in problem.reason
    assert len(problem.reason) < 250


def test_values_that_cannot_be_stored_a_broken_card_and_an_image_twice(folder):
    text(folder / "README.md", CARD.replace("'0': Coverall", "'0': &a Coverall"))
    jsonl(
        folder / "train/metadata.jsonl",
        '{"file_name": "a.png", "odd": NaN, "label": 7}',
        {"file_name": "a.png", "label": "x"},
        {"file_name": "gone.png", "label": "x"},
    )
    labels = read_labels(FOLDER, folder)
    assert [problem.where for problem in labels.problems] == ["README.md", "train/metadata.jsonl:2"]
    assert warnings(FOLDER, folder)["value-dropped"] == 1
    assert "class-7" in {read.class_name for read in labels.annotations}
    assert "train/gone.png" in [image.name for image in labels.images]


def test_other_files_are_not_mistaken_for_it(tmp_path):
    text(tmp_path / "metadata.csv", "id,label\n1,2\n")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    text(tmp_path / "y.parquet", "no parquet")
    for format in (FOLDER, PARQUET):
        assert format.recognise(Survey(tmp_path)) is None
    with pytest.raises(LabelFileUnreadable):
        PARQUET.open(tmp_path)


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def shards(tmp_path):
    """Two shards as Hugging Face datasets writes them, one of them cut off."""
    label = {"names": ["cat", "dog"], "_type": "ClassLabel"}
    features = {"image": {"_type": "Image"}, "label": label}
    rows = [
        {"image": {"bytes": png("red"), "path": "a.png"}, "label": 1},
        {"image": {"bytes": png("blue"), "path": "../../a.png"}, "label": 0},
        {"image": {"bytes": b"no image", "path": None}, "label": -1},
        {"image": None, "label": 9},
    ]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema(
        [("image", kind), ("label", pa.int64())],
        {"huggingface": json.dumps({"info": {"features": features}})},
    )
    (tmp_path / "data").mkdir()
    file = tmp_path / "data/train-00000-of-00002.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema), file)
    (tmp_path / "data/train-00001-of-00002.parquet").write_bytes(file.read_bytes()[:-20])
    return tmp_path


def test_shards_with_images_inside(shards):
    assert registry.detect(shards).format.name == "hf-parquet"
    (source,) = PARQUET.open(shards)
    assert [(p.where, p.kind) for p in source.problems] == [
        ("data/train-00001-of-00002.parquet", "unreadable")
    ]
    labels = read_labels(PARQUET, shards)
    assert [(r.image, r.class_name) for r in labels.annotations] == [
        ("train/a.png", "dog"),
        ("train/train-00000-of-00002.parquet-000001/a.png", "cat"),
        ("train/000003", "class-9"),
    ]
    files = list(source.locate(0, 4))
    assert [file is not None for file in files] == [True, True, True, False]
    assert [Path(file.path).read_bytes()[:4] for file in files if file][:2] == [b"\x89PNG"] * 2
    assert next(source.locate(1, 2)) is not None
    temporary = Path(files[0].path).parent if files[0] else None
    assert temporary is not None
    assert temporary.is_dir()
    source.release_images()
    assert not temporary.exists()


def test_images_inside_are_copied_and_never_referenced(shards, tmp_path):
    with ct.open(tmp_path / "ws") as ws:
        took = ws.create("shop").add_annotations(shards)
        assert (took.format, took.samples, took.annotations) == ("hf-parquet", 2, 2)
        (shards / "data/train-00001-of-00002.parquet").unlink()
        with pytest.raises(NothingToImport, match="archive"):
            ws.create("other").add_annotations(shards, media="reference")


@pytest.mark.parametrize("format", [FOLDER, PARQUET], ids=lambda format: format.name)
def test_boxes_classes_captions_and_empty_images_survive(tmp_path, format):
    whole = Annotation("c", "s", Kind.CLASSIFICATION, 1)
    caption = Annotation("t", "s", Kind.CAPTION, 2, attributes={"text": "ein Hund ✓"})
    facts = {"source_id": "7", "score": 0.25, "iscrowd": True, "attributes": {"occluded": True, "n": [1]}}
    items = [
        (
            sample("d/a.png", split="val"),
            [box((1, 2.125, 3, 4), 1, **facts), box((5, 6, 7, 8)), whole, caption],
        ),
        (sample("b.png", split="train", tags=("background",)), []),
        (sample("c.png", split="train", licence="x"), []),
        (sample("e.png", split="train"), [shape(Kind.POLYGON, (0, 0, 9, 0, 0, 9)), whole, whole]),
    ]
    written, back = there_and_back(format, tmp_path, items, ["car", "dog", "caption"])
    assert not back.problems
    assert written.n_annotations == len(back.annotations) == 7
    assert losses(written) == {"licence of a sample": 1, "shape of a polygon (its box is kept)": 1}
    first, second = [
        read.drawn for read in back.annotations if read.drawn.bbox_xywh_px and "a.png" in str(read.image)
    ]
    assert (first.bbox_xywh_px, first.source_id, first.score, first.iscrowd) == (
        (1, 2.125, 3, 4),
        "7",
        0.25,
        True,
    )
    assert (dict(first.attributes), dict(second.attributes)) == ({"occluded": True, "n": [1]}, {})
    assert {r.class_name for r in back.annotations} == {"car", "dog", "caption"}
    assert [r.drawn.attributes["text"] for r in back.annotations if r.drawn.kind is Kind.CAPTION] == [
        "ein Hund ✓"
    ]
    inside = {FOLDER: ("validation/images/", "train/images/"), PARQUET: ("val/", "train/")}[format]
    assert {i.name: (i.split, i.tags) for i in back.images} == {
        f"{inside[0]}d/a.png": ("val", ()),
        f"{inside[1]}b.png": ("train", ("background",)),
        f"{inside[1]}c.png": ("train", ()),
        f"{inside[1]}e.png": ("train", ()),
    }


def test_the_same_input_gives_the_same_bytes(tmp_path):
    items = [(sample("a.png", split="train"), [box((1, 2, 3, 4))])]
    for name in ("one", "two"):
        write(PARQUET, tmp_path / name, items)
    (file,) = (tmp_path / "one").rglob("*.parquet")
    assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


sides = st.floats(0, 9_000, allow_nan=False)


@pytest.mark.parametrize("format", [FOLDER, PARQUET], ids=lambda format: format.name)
@FEW
@given(boxes=st.lists(st.tuples(sides, sides, sides, sides, st.integers(0, 1)), max_size=5))
def test_boxes_survive_to_the_last_digit(tmp_path_factory, format, boxes):
    drawn = [box(at, number) for *at, number in boxes]
    items = [(sample("a.png", split="train", tags=("background",)), drawn)]
    _, back = there_and_back(format, tmp_path_factory.mktemp("out"), items)
    assert not back.problems
    assert [read.drawn.bbox_xywh_px for read in back.annotations] == [a.bbox_xywh_px for a in drawn]
    assert [read.class_name for read in back.annotations] == [("car", "dog")[a.class_id] for a in drawn]

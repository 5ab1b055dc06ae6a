"""The kinds of input: the valid sets that mutants start from, and the changes that fit them."""

from __future__ import annotations

import json
import random

import pictures
import seeds
from containers import change_lines_of_json, change_parquet, change_special, change_tar
from mutants import (
    Change,
    Files,
    change_attributes,
    change_bytes,
    change_cells,
    change_json,
    change_names,
    change_rows,
    change_settings,
    change_xml,
    change_yaml,
)

LABELS = {
    "coco": "coco",
    "yolo": "yolo",
    "voc": "voc",
    "folders": "folder",
    **{
        name: name
        for name in (
            *(
                "coco-panoptic",
                "kitti",
                "dota",
                "mot",
                "open-images",
                "cityscapes",
                "masks",
                "hf-image-folder",
                "hf-parquet",
            ),
            *(
                "webdataset",
                "croissant",
                "cvat",
                "label-studio",
                "labelme",
                "via",
                "darwin",
                "labelbox",
                "fiftyone",
                "createml",
                "class-table",
                "labelme-xml",
            ),
        )
    },
}
"""Kinds that are label formats -> their names."""
KINDS = (*LABELS, "images", "contracts", "pipelines")
_OWN: dict[str, tuple[Change, ...]] = {
    "coco": (change_json,),
    "coco-panoptic": (change_json, change_json, pictures.change_image),
    "yolo": (change_yaml, change_rows, change_rows, change_settings),
    "voc": (change_xml, change_xml, change_settings),
    "folders": (change_names, pictures.change_image),
    "kitti": (change_rows,),
    "dota": (change_rows,),
    "mot": (change_rows, change_rows, change_settings),
    "open-images": (change_cells,),
    "cityscapes": (change_json, change_json, pictures.change_image),
    "masks": (pictures.change_image, change_settings),
    "hf-image-folder": (change_lines_of_json, change_cells),
    "hf-parquet": (change_parquet,),
    "webdataset": (change_tar,),
    "croissant": (change_json, change_cells),
    "cvat": (change_attributes, change_attributes, change_xml),
    "label-studio": (change_json,),
    "labelme": (change_json,),
    "via": (change_json, change_json, change_cells),
    "darwin": (change_json,),
    "labelbox": (change_lines_of_json,),
    "fiftyone": (change_json,),
    "createml": (change_json,),
    "class-table": (change_cells,),
    "labelme-xml": (change_xml,),
    "images": (pictures.change_image,),
    "contracts": (change_yaml,),
    "pipelines": (change_yaml,),
}
_ANY: tuple[Change, ...] = (change_bytes, change_names, pictures.change_image, change_special)


def base(kind: str, rng: random.Random) -> Files:
    """A valid set."""
    if kind == "images":
        name, data = rng.choice(pictures.samples())
        return {name: data}
    made = {
        "coco": _coco,
        "yolo": _yolo,
        "voc": _voc,
        "folders": _folders,
        "contracts": _contract,
        "pipelines": _pipeline,
    }.get(kind)
    return made(rng) if made is not None else seeds.made(kind, rng)


def changes(kind: str, rng: random.Random) -> list[tuple[Change, int]]:
    """One to three changes, most of them of the structure."""
    only_text = kind in ("contracts", "pipelines", "images")
    chosen = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        pool = _OWN[kind] if rng.random() < 0.8 else (change_bytes,) if only_text else _ANY
        chosen.append((rng.choice(pool), rng.getrandbits(32)))
    return chosen


def _coco(rng: random.Random) -> Files:
    if rng.random() < 0.3:
        return dict(rng.choice(seeds.coco_others()))
    png, jpg = seeds.images()
    rows = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 8], "area": 80, "iscrowd": 0},
        {
            "id": 2,
            "image_id": 1,
            "category_id": 2,
            "bbox": [3.5, 2, 9, 9],
            "attributes": {"k": "v", "n": 1},
            "more": [1],
        },
        {
            "id": 3,
            "image_id": 2,
            "category_id": 1,
            "segmentation": [[2, 2, 12, 2, 12, 12]],
            "bbox": [2, 2, 10, 10],
        },
        {"id": 4, "image_id": 2, "category_id": 2, "bbox": [0, 0, 5, 5], "keypoints": [1, 1, 2, 4, 4, 1]},
        {
            "id": 5,
            "image_id": 1,
            "category_id": 1,
            "bbox": [0, 0, 4, 4],
            "segmentation": {"size": [28, 40], "counts": [0, 4, 1116]},
            "score": 0.5,
        },
    ]
    value = {
        "info": {"description": "x", "year": 2024},
        "licenses": [{"id": 1, "name": "CC0", "url": "u"}],
        "images": [
            {"id": 1, "file_name": "a.png", "width": 40, "height": 28, "license": 1, "weather": "rain"},
            {"id": 2, "file_name": "sub/b.jpg", "width": 28, "height": 40, "date": 3},
        ],
        "annotations": rows,
        "categories": [
            {"id": 1, "name": "car", "supercategory": "s"},
            {"id": 2, "name": "dog", "keypoints": ["l", "r"], "skeleton": [[1, 2]]},
        ],
    }
    label = rng.choice([b"labels.json", b"annotations/instances_train.json"])
    folder = b"images/" if label.startswith(b"annotations") else b""
    return {label: json.dumps(value, indent=1).encode(), folder + b"a.png": png, folder + b"sub/b.jpg": jpg}


def _yolo(rng: random.Random) -> Files:
    if rng.random() < 0.4:
        return dict(rng.choice(seeds.yolo_others()))
    png, jpg = seeds.images()
    names = rng.choice(
        [b"names: [car, dog]\nnc: 2\n", b"names:\n  0: car\n  1: dog\n", b"names:\n- car\n- dog\n"]
    )
    config = b"path: .\ntrain: images/train\nval: images/val\n" + names
    poses = rng.random() < 0.3
    if poses:
        config += b"kpt_shape: [2, 3]\n"
    a = b"0 0.5 0.5 0.2 0.3\n1 0.25 0.25 0.1 0.1 0.9\n"
    b = b"1 0.1 0.1 0.5 0.1 0.5 0.6\n" + (b"0 0.4 0.4 0.2 0.2 0.3 0.3 2 0.4 0.4 1\n" if poses else b"")
    return {
        b"data.yaml": config,
        b"images/train/a.png": png,
        b"images/val/b.jpg": jpg,
        b"labels/train/a.txt": a,
        b"labels/val/b.txt": b,
    }


def _voc(rng: random.Random) -> Files:
    if rng.random() < 0.3:
        return dict(seeds.written("voc"))
    png, jpg = seeds.images()
    files = {b"JPEGImages/a.png": png, b"JPEGImages/b.jpg": jpg, b"ImageSets/Main/train.txt": b"a\n"}
    for name, file in ((b"a", b"a.png"), (b"b", b"b.jpg")):
        objects = b"".join(
            b"  <object>\n    <name>%s</name>\n    <difficult>0</difficult>\n    <bndbox>\n      <xmin>%d</xmin>\n"
            b"      <ymin>2</ymin>\n      <xmax>20</xmax>\n      <ymax>22.5</ymax>\n    </bndbox>\n  </object>\n"
            % (c, x)
            for c, x in ((b"car", 1), (b"dog", 4))
        )
        head = b'<?xml version="1.0" encoding="utf-8"?>\n<annotation>\n  <filename>%s</filename>\n' % file
        files[b"Annotations/" + name + b".xml"] = head + objects + b"</annotation>\n"
    return files


def _folders(rng: random.Random) -> Files:
    png, jpg = seeds.images()
    if rng.random() < 0.5:
        return {b"cat/a.png": png, b"dog/b.jpg": jpg}
    return {b"train/cat/a.png": png, b"val/dog/b.jpg": jpg, b"train/dog/notes.txt": b"x"}


_CONTRACT = b"""\
task:
  kind: detection
label_set: ground_truth
classes:
- name: car
  min_annotations: 1
- dog
samples:
  min: 2
licences: [CC0-1.0, CC-BY-4.0]
metadata:
  weather: {type: str, values: [rain, sun], required: true}
coverage:
- {where: 'weather = "rain"', min_samples: 1}
checks:
  image-quality:
    severity: warning
    parameters: {min_contrast: 0.1}
  dimensions: {enabled: false}
waivers:
- {check: readable, owner: me, reason: old cameras only, until: 2031-01-31}
gates:
- check: readable
  max_findings: 0
  severity: error
- check: near-duplicates
  max_fraction: 0.01
- metric: labelled-fraction
  min: 0.5
"""
_PIPELINE = b"""\
pipeline: nightly
dataset: shop
stages:
- acquire: {from: images, source: cam, licence: CC0-1.0, tags: [a]}
- annotate: {from: labels.json, format: coco, on_unknown: skip}
- transform: {classes: {car: vehicle, junk: null}}
- check: {gate: go-on}
- curate:
    split: {train: 0.8, val: 0.2}
    by: scene
- augment:
    recipe: {name: turn, copies: 2, seed: 7, steps: [{rotate: {degrees: [-8, 8]}}, {flip: {axis: horizontal}}]}
    splits: [train]
- commit: {message: first}
- release: {version: 1.0.0}
"""


def _contract(_: random.Random) -> Files:
    return {b"contract.yaml": _CONTRACT}


def _pipeline(_: random.Random) -> Files:
    return {b"pipeline.yaml": _PIPELINE}

"""The sets that mutants of the label formats start from: written by our own writers, and some made by hand.

What the writers write holds every kind of annotation that the format can; those made by hand are layouts and spellings
that only other programs write.
"""

from __future__ import annotations

import functools
import io
import json
import random
import tempfile
from pathlib import Path

import numpy as np
import pictures
from mutants import Files
from PIL import Image

from calotype.exchange.conversion import convert
from calotype.exchange.registry import WRITABLE

_VIDEO = 3
_META = """<meta><task><size>3</size><labels>
<label><name>car</name><attributes><attribute><name>doors</name><mutable>False</mutable><input_type>number</input_type>
</attribute></attributes></label><label><name>dog</name></label><label><name>person</name><type>skeleton</type>
<svg>&lt;line data-type="edge" data-node-from="2" data-node-to="1"&gt;&lt;/line&gt;
&lt;circle data-node-id="1" data-label-name="head"&gt;&lt;/circle&gt;
&lt;circle data-node-id="2" data-label-name="foot"&gt;&lt;/circle&gt;</svg></label>
<label><name>head</name><type>points</type><parent>person</parent></label>
<label><name>foot</name><type>points</type><parent>person</parent></label>
</labels></task></meta>"""
_SHAPES = """
<image id="0" name="a.png" width="40" height="28" subset="train">
<box label="car" occluded="1" xtl="1.50" ytl="2" xbr="11.5" ybr="12" z_order="3" group_id="4">
<attribute name="doors">5</attribute></box>
<box label="dog" occluded="0" xtl="10" ytl="8" xbr="20" ybr="14" rotation="30"></box>
<polygon label="car" points="2,2;12,2;12,12;4,9"></polygon>
<polyline label="dog" points="2,2;12,2;12,12"></polyline>
<mask label="car" rle="0, 4, 3, 5" left="3" top="2" width="4" height="3"></mask>
</image>
<image id="1" name="sub/b.jpg" width="28" height="40" subset="val">
<ellipse label="dog" cx="14" cy="20" rx="6" ry="3"></ellipse>
<points label="car" points="3,4"></points>
<tag label="dog"></tag>
<skeleton label="person"><points label="foot" outside="0" occluded="1" points="7,8"></points>
<points label="head" outside="0" occluded="0" points="1,2"></points></skeleton>
</image>"""
_TRACKS = """
<track id="0" label="car"><box frame="0" outside="0" keyframe="1" occluded="0" xtl="1" ytl="2" xbr="9" ybr="12"/>
<box frame="2" outside="1" keyframe="1" occluded="0" xtl="5" ytl="2" xbr="13" ybr="12"/></track>
<track id="1" label="dog"><polygon frame="1" outside="0" keyframe="1" points="2,2;12,2;12,12"/></track>"""


@functools.cache
def images() -> tuple[bytes, bytes]:
    """A PNG of 40x28 pixels, and a JPEG of 28x40 pixels with an EXIF block."""
    named = dict(pictures.samples())
    return named[b"plain.png"], named[b"exif.jpg"]


@functools.cache
def written(format: str) -> Files:
    """A set of every kind of annotation as our writer of a format writes it."""
    with tempfile.TemporaryDirectory(prefix="calotype-fuzz-") as name:
        place = Path(name)
        for file, data in cvat_images().items():
            target = place / "in" / file.decode()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        convert(place / "in", to=format, out=place / "out", from_="cvat")
        found = [file for file in (place / "out").rglob("*") if file.is_file()]
        return {
            file.relative_to(place / "out").as_posix().encode(): file.read_bytes() for file in sorted(found)
        }


def cvat_images() -> Files:
    """A task of two images with shapes of every kind."""
    png, jpg = images()
    text = f'<?xml version="1.0"?>\n<annotations>\n<version>1.1</version>{_META}{_SHAPES}\n</annotations>\n'
    return {b"annotations.xml": text.encode(), b"images/a.png": png, b"images/sub/b.jpg": jpg}


def made(kind: str, rng: random.Random) -> Files:
    """A valid set of a label format, one of several."""
    ours = [functools.partial(written, kind)] if kind in WRITABLE else []
    choices = [*ours, *_BY_HAND.get(kind, ())]
    return dict(rng.choice(choices)())


def _cvat_video() -> Files:
    png, _ = images()
    frames = {b"images/frame_%06d.PNG" % at: png for at in range(_VIDEO)}
    text = f"<annotations>{_META}{_TRACKS}</annotations>"
    return {b"annotations.xml": text.encode(), **frames}


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def coco_others() -> tuple[Files, ...]:
    """Panoptic, captions, results, and what our writer writes."""
    png, _ = images()
    pictured = [{"id": 1, "file_name": "a.png", "width": 40, "height": 28}]
    numbers = np.zeros((28, 40), np.uint32)
    numbers[:10], numbers[12:20, 5:25] = 70_000, 300
    rgb = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65_536], axis=2).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG")
    segments = [{"id": 70_000, "category_id": 2, "area": 400, "iscrowd": 0}, {"id": 300, "category_id": 1}]
    categories = [{"id": 1, "name": "cat", "isthing": 1}, {"id": 2, "name": "sky", "isthing": 0}]
    panoptic = {
        "images": pictured,
        "categories": categories,
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
    }
    captions = {"images": pictured, "annotations": [{"id": 7, "image_id": 1, "caption": "a cat, asleep"}]}
    results = [
        {"image_id": 1, "category_id": 1, "bbox": [1, 2, 5, 5], "score": 0.5},
        {
            "image_id": 1,
            "category_id": 2,
            "segmentation": {"size": [28, 40], "counts": "PPQ1"},
            "score": 0.25,
        },
    ]
    return (
        {
            b"annotations/panoptic_val2017.json": _json(panoptic),
            b"annotations/panoptic_val2017/a.png": out.getvalue(),
            b"val2017/a.png": png,
        },
        {b"annotations/captions_val2017.json": _json(captions), b"val2017/a.png": png},
        {b"results.json": _json(results)},
        written("coco"),
    )


def yolo_others() -> tuple[Files, ...]:
    """Darknet as CVAT exports it, rotated boxes, and what our writer writes."""
    png, jpg = images()
    box = b"0 0.5 0.5 0.2 0.3\n1 0.25 0.25 0.1 0.1\n"
    darknet = {
        b"obj.data": b"classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n",
        b"obj.names": b"car\ndog\n",
        b"train.txt": b"data/obj_train_data/a.png\n",
        b"valid.txt": b"data/obj_valid_data/b.jpg\n",
        b"obj_train_data/a.png": png,
        b"obj_train_data/a.txt": box,
        b"obj_valid_data/b.jpg": jpg,
        b"obj_valid_data/b.txt": b"",
    }
    turned = {
        b"data.yaml": b"path: .\ntrain: train.txt\nval: images/val\nnames: {0: car, 1: dog}\n",
        b"train.txt": b"./images/train/a.png\n",
        b"images/train/a.png": png,
        b"images/val/b.jpg": jpg,
        b"labels/train/a.txt": b"0 0.1 0.1 0.5 0.1 0.5 0.6 0.1 0.6\n",
        b"labels/val/b.txt": b"1 0.3 0.2 0.5 0.3 0.4 0.6 0.2 0.5\n",
    }
    return darknet, turned, written("yolo")


def _kitti() -> Files:
    png, _ = images()
    row = b"Car 0.00 1 -1.57 1.0 2.0 20.5 18.0 1.5 1.6 3.9 1.8 1.4 8.4 -1.56\n"
    return {
        b"training/image_2/000000.png": png,
        b"training/label_2/000000.txt": row + b"DontCare -1 -1 -10 5 5 9 9 -1 -1 -1 -1000 -1000 -1000 -10\n",
        b"testing/image_2/000001.png": png,
    }


def _dota() -> Files:
    png, _ = images()
    head = b"imagesource:GoogleEarth\ngsd:0.14\n"
    return {
        b"train/images/P0001.png": png,
        b"train/labelTxt/P0001.txt": head
        + b"1 1 20 1 20 10 1 10 plane 0\n5 5 9 4 10 12 6 13 small-vehicle 1\n",
    }


def _mot() -> Files:
    _, jpg = images()
    info = (
        b"[Sequence]\nname=M-02\nimDir=img1\nframeRate=30\nseqLength=3\nimWidth=28\nimHeight=40\nimExt=.jpg\n"
    )
    frames = {b"train/M-02/img1/%06d.jpg" % at: jpg for at in (1, 2, 3)}
    return {
        b"train/M-02/seqinfo.ini": info,
        b"train/M-02/gt/gt.txt": b"1,1,2,4,9,10,0,7,1\n1,2,10.5,20,5,6,1,1,0.25\n2,2,11,20,5,6,1,1,1\n",
        b"train/M-02/det/det.txt": b"1,-1,9,4,9,9,0.9\n",
        **frames,
    }


def _hf_csv() -> Files:
    png, jpg = images()
    return {
        b"train/metadata.csv": b'file_name,text,label\na.png,"a cat, asleep",cat\nsub/b.jpg,,dog\n',
        b"train/a.png": png,
        b"train/sub/b.jpg": jpg,
    }


def _via_old() -> Files:
    png, _ = images()
    shape = {"name": "rect", "x": 1, "y": 2, "width": 10, "height": 5}
    region = {"shape_attributes": shape, "region_attributes": {"label": "cat"}}
    entry = {"filename": "a.png", "size": 9, "regions": {"0": region}, "file_attributes": {"light": "day"}}
    return {b"via.json": _json({"a.png9": entry}), b"a.png": png}


def _via_csv() -> Files:
    png, _ = images()
    shape = json.dumps({"name": "polygon", "all_points_x": [1, 9, 9], "all_points_y": [1, 1, 9]})
    cells = ["a.png", "9", "{}", "1", "0", shape, json.dumps({"label": "cat"})]
    row = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    head = (
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    )
    return {b"via_export.csv": f"{head}\n{row}\n".encode(), b"a.png": png}


def _labelme() -> Files:
    png, _ = images()
    shapes = [
        {"label": "car", "points": [[1, 2], [9, 12]], "shape_type": "rectangle", "group_id": 1, "flags": {}},
        {"label": "dog", "points": [[14, 14], [18, 14]], "shape_type": "circle"},
        {"label": "dog", "points": [[1, 1], [5, 1], [5, 5]], "shape_type": "polygon", "flags": {"a": True}},
        {"label": "car", "points": [[3, 4]], "shape_type": "point"},
        {"label": "car", "points": [[3, 4], [8, 9]], "shape_type": "linestrip"},
    ]
    value = {"version": "5.0", "flags": {"night": True}, "shapes": shapes, "imagePath": "..\\img\\a.png"}
    return {b"ann/a.json": _json({**value, "imageHeight": 28, "imageWidth": 40}), b"img/a.png": png}


def _label_studio() -> Files:
    png, _ = images()
    sides = {"original_width": 40, "original_height": 28, "image_rotation": 0}
    box = {"x": 10, "y": 20, "width": 50, "height": 10, "rotation": 20, "rectanglelabels": ["car"]}
    result = {
        "id": "r",
        "from_name": "l",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": box,
        **sides,
    }
    choice = {
        "id": "c",
        "from_name": "k",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": ["day"]},
    }
    said = {"id": 5, "completed_by": 1, "was_cancelled": False, "result": [result, choice]}
    guess = {"model_version": "m", "score": 0.5, "result": [{**result, "score": 0.25}]}
    task = {"id": 1, "data": {"image": "/data/upload/1/a.png"}, "annotations": [said], "predictions": [guess]}
    return {b"export.json": _json([task]), b"a.png": png}


def _darwin() -> Files:
    png, _ = images()
    source = [{"file_name": "a.png"}]
    slot = {"type": "image", "slot_name": "0", "width": 40, "height": 28, "source_files": source}
    square = [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 9, "y": 9}]
    nodes = [{"name": "head", "x": 3, "y": 4, "occluded": False}, {"name": "foot", "x": 5, "y": 9}]
    layer = {"dense_rle": [0, 40, 1, 1080], "mask_annotation_ids_mapping": {"4": 1}, "total_pixels": 1120}
    listed = [
        {"id": "1", "name": "cat", "slot_names": ["0"], "bounding_box": {"x": 1, "y": 2, "w": 10, "h": 5}},
        {"id": "2", "name": "cat", "slot_names": ["0"], "polygon": {"paths": [square]}, "properties": []},
        {"id": "3", "name": "man", "slot_names": ["0"], "skeleton": {"nodes": nodes}},
        {"id": "4", "name": "sky", "slot_names": ["0"], "mask": {}},
        {"id": "5", "name": "__raster_layer__", "slot_names": ["0"], "raster_layer": layer},
    ]
    item = {"name": "a.png", "path": "/", "slots": [slot]}
    return {
        b"annotations/a.json": _json({"version": "2.0", "item": item, "annotations": listed}),
        b"images/a.png": png,
    }


def _labelbox_rows() -> Files:
    png, _ = images()
    box = {"name": "cat", "feature_id": "f1", "bounding_box": {"top": 1, "left": 2, "height": 9, "width": 5}}
    answer = {"name": "light", "radio_answer": {"name": "day", "value": "day"}}
    said = {"label_details": {}, "annotations": {"objects": [box], "classifications": [answer]}}
    row = {
        "data_row": {
            "id": "cl1",
            "global_key": "key",
            "external_id": "a.png",
            "row_data": "https://x/a.png?z",
        },
        "media_attributes": {"width": 40, "height": 28},
        "projects": {"p1": {"name": "p", "labels": [said]}},
    }
    return {b"export.ndjson": json.dumps(row).encode() + b"\n", b"a.png": png}


def _createml() -> Files:
    png, jpg = images()
    box = {"label": "cat", "coordinates": {"x": 12, "y": 9.5, "width": 10, "height": 8}, "confidence": 0.5}
    rows = [{"image": "a.png", "annotations": [box, box]}, {"image": "b.jpg", "annotations": []}]
    return {b"train/_annotations.createml.json": _json(rows), b"train/a.png": png, b"train/b.jpg": jpg}


def _class_table() -> Files:
    png, jpg = images()
    table = b"filename, cat, dog\na.png, 1, 1\nb.jpg, 0, 0\n"
    return {b"valid/_classes.csv": table, b"valid/a.png": png, b"valid/b.jpg": jpg}


def _labelme_xml() -> Files:
    png, _ = images()
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((2, 2), (12, 2), (12, 12)))
    one = f"<object><name>cat</name><deleted>0</deleted><id>3</id><polygon>{points}</polygon></object>"
    text = f"<annotation><filename>a.png</filename><folder>f</folder>{one}</annotation>"
    return {b"Annotations/f/a.xml": text.encode(), b"Images/f/a.png": png}


_BY_HAND = {
    "labelme-xml": (_labelme_xml,),
    "createml": (_createml,),
    "class-table": (_class_table,),
    "kitti": (_kitti,),
    "dota": (_dota,),
    "mot": (_mot,),
    "hf-image-folder": (_hf_csv,),
    "cvat": (cvat_images, _cvat_video),
    "via": (_via_old, _via_csv),
    "labelme": (_labelme,),
    "label-studio": (_label_studio,),
    "darwin": (_darwin,),
    "labelbox": (_labelbox_rows,),
}

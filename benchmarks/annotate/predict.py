"""`calotype predict` beside a plain loop of onnxruntime: CPU seconds for 1,000 images, and average precision of both.

    uv run --with pycocotools --extra torch benchmarks/annotate/predict.py

A tiny detector is trained on drawn shapes (one or two minutes of CPU), exported to ONNX, and run over 1,000 images that
it never saw. The plain loop decodes with Pillow, fits each image in, runs the session with one thread, and suppresses
boxes class by class with NumPy; it stores nothing. Wall time is not printed: it says more about the machine.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import tiny_detector as tiny
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import calotype as ct

N_IMAGES, ROUNDS = 1_000, 3
MIN_SCORE, MIN_SCORE_OF_AP = 0.25, 0.02
Row = tuple[int, int, float, list[float]]
"""Image, class, score, and left, top, width, height."""


def plain(model: Path, files: list[Path], min_score: float) -> list[Row]:
    """What somebody writes by hand."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options)
    rows: list[Row] = []
    for at, file in enumerate(files):
        image = Image.open(file).convert("RGB")
        tensor, (scale, left, top) = tiny.letterboxed(image)
        output = session.run(None, {"images": tensor[None]})[0][0].T
        classes, scores = output[:, 4:].argmax(1), output[:, 4:].max(1)
        keep = scores >= min_score
        boxes, scores, classes = output[keep, :4], scores[keep], classes[keep]
        corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
        corners = (corners - [left, top, left, top]) / scale
        for kind in np.unique(classes):
            order = np.flatnonzero(classes == kind)
            order = order[np.argsort(-scores[order], kind="stable")]
            while len(order):
                best, order = order[0], order[1:]
                x1, y1, x2, y2 = corners[best]
                box = np.clip([x1, y1, x2, y2], 0, [image.width, image.height] * 2)
                rows.append((at, int(kind), float(scores[best]), [*box[:2], *(box[2:] - box[:2])]))
                order = order[overlaps(corners[best], corners[order]) <= 0.5]
    return rows


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box and others."""
    sides = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    shared = sides.prod(1)
    return shared / ((box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - shared)


def average_precision(
    truth: list[Row], predicted: list[Row], sizes: list[tuple[int, int]]
) -> tuple[float, float]:
    """AP over overlaps of 0.5 to 0.95, and AP at 0.5, as pycocotools computes them."""
    data = COCO()
    boxes = [
        {"id": n + 1, "image_id": at, "category_id": kind, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for n, (at, kind, _, box) in enumerate(truth)
    ]
    data.dataset = {
        "images": [{"id": at, "width": w, "height": h} for at, (w, h) in enumerate(sizes)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(tiny.NAMES)],
        "annotations": boxes,
    }
    said = [
        {"image_id": at, "category_id": kind, "score": score, "bbox": [float(side) for side in box]}
        for at, kind, score, box in predicted
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        data.createIndex()
        judge = COCOeval(data, data.loadRes(said), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0]), float(judge.stats[1])


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.process_time()
        tiny.export(tiny.train(), folder / "shapes.onnx")
        size = (folder / "shapes.onnx").stat().st_size
        print(f"trained in {time.process_time() - began:.0f} s of CPU; {size / 1e3:.0f} kB")
        rng = np.random.default_rng(1)
        truth: list[Row] = []
        sizes, files = [], []
        (folder / "raw").mkdir()
        for at in range(N_IMAGES):
            image, shapes = tiny.draw(rng)
            files.append(folder / "raw" / f"{at:04}.jpg")
            image.save(files[-1], quality=92)
            sizes.append(image.size)
            truth += [(at, kind, 1.0, [x1, y1, x2 - x1, y2 - y1]) for kind, (x1, y1, x2, y2) in shapes]
        with ct.open(folder / "ws") as workspace:
            run(workspace, folder / "shapes.onnx", truth, sizes, files)


def run(
    workspace: ct.Workspace, model: Path, truth: list[Row], sizes: list[tuple[int, int]], files: list[Path]
) -> None:
    """Time both, by turns, and compare what they say."""
    dataset = workspace.create("shapes")
    dataset.add_images(files[0].parent)
    ours_s, plain_s = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        dataset.annotate.predict(model, label_set="model:fast", min_score=MIN_SCORE, add_classes=True)
        ours_s.append(time.process_time() - began)
        began = time.process_time()
        plain(model, files, MIN_SCORE)
        plain_s.append(time.process_time() - began)
    print(
        f"CPU seconds for {len(files):,} images: calotype predict {min(ours_s):.2f}, plain loop {min(plain_s):.2f}"
    )
    print(f"ratio {min(ours_s) / min(plain_s):.2f}")
    dataset.annotate.predict(model, label_set="model:tiny", min_score=MIN_SCORE_OF_AP, add_classes=True)
    ours, by_hand = stored(dataset), plain(model, files, MIN_SCORE_OF_AP)
    for name, rows in (("calotype predict", ours), ("plain loop", by_hand)):
        ap, ap50 = average_precision(truth, rows, sizes)
        print(f"{name}: {len(rows):,} boxes, AP {ap:.3f}, AP at 0.5 {ap50:.3f}")


def stored(dataset: ct.Dataset) -> list[Row]:
    """The predictions as the dataset holds them."""
    table: pa.Table = dataset.where().annotations(label_set="model:tiny")
    samples = dataset.where().samples(columns=["sample_id", "name"])
    place = {row["sample_id"]: int(Path(row["name"]).stem) for row in samples.to_pylist()}
    names = {each.id: tiny.NAMES.index(each.name) for each in dataset.where().snapshot().ontology.classes}
    return [
        (place[row["sample_id"]], names[row["class_id"]], row["score"], [row[side] for side in "xywh"])
        for row in table.to_pylist()
    ]


if __name__ == "__main__":
    main()

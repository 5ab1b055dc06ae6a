"""Time of `add` by the number of files: it has to grow as the number does, not faster.

    uv run python benchmarks/reliability/add_growth.py                       # 5,000, 20,000 and 100,000 files
    uv run python benchmarks/reliability/add_growth.py --files 5000 --kind equal

`tiny` files are different images of 8 x 8 pixels, `equal` files are copies of one. Exit code 1 if the CPU time for each
file of the largest run is more than twice that of the smallest.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

from calotype.acquire import service as acquire
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.store import create_workspace

ACTOR = Actor("benchmark", "benchmark")
KINDS = ("equal", "tiny")
SIDE_PX = 8
MAX_RATIO = 2.0


def main() -> int:
    """Every kind and number in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, action="append")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument(
        "--folder", type=Path, help="where to work; the default is the folder of temporary files"
    )
    asked = parser.parse_args()
    too_much = False
    print(f"{'kind':<6} {'files':>8} {'seconds':>9} {'CPU s':>8} {'CPU us/file':>12} {'ratio':>6}")
    for kind in asked.kind or KINDS:
        first = 0.0
        for n_files in sorted(asked.files or [5_000, 20_000, 100_000]):
            with tempfile.TemporaryDirectory(prefix="calotype-add-", dir=asked.folder) as folder:
                wall_s, cpu_s = add(Path(folder), kind, n_files)
            each_us = 1e6 * cpu_s / n_files
            first = first or each_us
            too_much |= each_us / first > MAX_RATIO
            line = f"{kind:<6} {n_files:>8} {wall_s:>9.1f} {cpu_s:>8.1f} {each_us:>12.0f} {each_us / first:>6.2f}"
            print(line, flush=True)
    print(
        f"\n{os.cpu_count()} cores"
        + (f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "")
    )
    return 1 if too_much else 0


def add(folder: Path, kind: str, n_files: int) -> tuple[float, float]:
    """Wall and CPU time in seconds of adding that many files."""
    (folder / "images").mkdir()
    for number in range(n_files):
        (folder / "images" / f"{number:06d}.png").write_bytes(png(0 if kind == "equal" else number))
    store = create_workspace(ACTOR, folder / "workspace")
    try:
        datasets.create(ACTOR, "shop", store=store)
        wall, cpu = time.monotonic(), time.process_time()
        done = acquire.add(ACTOR, "shop", [folder / "images"], store=store)
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        if done.added + done.duplicates != n_files:
            raise SystemExit(f"{n_files} files, but {done}")
    finally:
        store.close()
    return wall, cpu


def png(number: int) -> bytes:
    """A small image that differs for each number."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + number.to_bytes(4, "big") * (SIDE_PX * 3 // 4)
    header = struct.pack(">IIBBBBB", SIDE_PX, SIDE_PX, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * SIDE_PX)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


if __name__ == "__main__":
    sys.exit(main())

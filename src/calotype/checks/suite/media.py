"""Checks of images: readable, of a usable size, sharp and well lit."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Tally
from calotype.datasets import measures
from calotype.datasets.pixel_facts import QUALITY
from calotype.store import schema


def readable(context: CheckContext, tally: Tally) -> None:
    """Media that are missing or cannot be decoded; files that imports set aside, for information."""
    tally.looked_at = context.n_samples
    broken = measures.unreadable(
        context.store, context.snapshot, sample_ids=context.sample_ids, progress=context.progress
    )
    media = context.column("media_sha256")
    rows = np.flatnonzero(np.isin(media, list(broken)))

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        sha = str(media[row])
        return f"the image cannot be read: {broken[sha]}", {
            "media_sha256": sha, "repair": {"do": "remove-sample"},
        }  # fmt: skip

    tally.samples(rows, tell)
    n_aside = _set_aside(context)
    if n_aside:
        reason = f"{n_aside} image files were set aside when they came in and are in no sample"
        tally.dataset(reason, {"files": n_aside}, severity="info", fault="set-aside")


def _set_aside(context: CheckContext) -> int:
    table = schema.quarantine
    asked = sa.select(sa.func.count()).select_from(table)
    with context.store.catalog.read() as conn:
        asked = asked.where(table.c.dataset_id == context.snapshot.dataset.id, table.c.what == "image")
        return int(conn.execute(asked).scalar() or 0)


def dimensions(context: CheckContext, tally: Tally) -> None:
    """Images that are very small, very large or very long."""
    tally.looked_at = context.n_samples
    width, height = (context.column(name).astype(np.float64) for name in ("width_px", "height_px"))
    short, long = np.minimum(width, height), np.maximum(width, height)
    aspect = long / np.maximum(short, 1)
    limits = (
        (short < tally.number("min_side_px"), "shorter than {:g} px", "min_side_px"),
        (long > tally.number("max_side_px"), "longer than {:g} px", "max_side_px"),
        (aspect > tally.number("max_aspect"), "more than {:g} times as long as wide", "max_aspect"),
    )
    for hit, words, name in limits:
        limit = tally.number(name)

        def tell(row: int, words: str = words, limit: float = limit) -> tuple[str, dict[str, Any]]:
            size = [int(width[row]), int(height[row])]
            facts = {"image_wh_px": size, "aspect": round(float(aspect[row]), 3)}
            return f"the image is {size[0]}x{size[1]} px, {words.format(limit)}", facts

        tally.samples(np.flatnonzero(hit), tell, fault=name)


def image_quality(context: CheckContext, tally: Tally) -> None:
    """Images out of focus, under-exposed or over-exposed."""
    measured = context.measured("quality")
    media = context.column("media_sha256")
    rows = np.flatnonzero(np.isin(media, list(measured)))
    tally.looked_at = len(rows)
    if not len(rows):
        return
    figures = np.stack([measured[str(sha)] for sha in media[rows]]).astype(np.float64)
    luma, contrast, sharpness, dark, bright = figures.T
    at = {int(row): k for k, row in enumerate(rows)}
    flat = contrast < 0.02
    faults = (
        (
            (luma < tally.number("min_luma")) | (dark > tally.number("max_dark_fraction")),
            "dark",
            "is very dark",
        ),
        (
            (luma > tally.number("max_luma")) | (bright > tally.number("max_bright_fraction")),
            "bright",
            "is over-exposed",
        ),
        ((sharpness < tally.number("min_sharpness")) & ~flat, "blurred", "is out of focus"),
    )
    for hit, name, words in faults:

        def tell(row: int, name: str = name, words: str = words) -> tuple[str, dict[str, Any]]:
            facts = {key: round(float(v), 4) for key, v in zip(QUALITY, figures[at[row]], strict=True)}
            light = f"mean luma {facts['luma']:.2f}"
            shown = {
                "dark": f"{light}, {facts['dark_fraction']:.0%} of its pixels are black",
                "bright": f"{light}, {facts['bright_fraction']:.0%} of its pixels are white",
                "blurred": f"sharpness {facts['sharpness']:.2f}",
            }[name]
            return f"the image {words} ({shown})", {"fault": name, **facts}

        tally.samples(rows[np.flatnonzero(hit)], tell)


CHECKS = (
    Check(
        "readable", "Readable media",
        "The image of each sample is there and can be decoded whole.",
        "add the original file again, or remove the sample", "samples", "error", readable,
        family="integrity", scope="sample", cost="pixels",
    ),
    Check(
        "dimensions", "Image size",
        "Images are neither tiny, huge nor extremely long.",
        "remove the sample, or set min_side_px, max_side_px and max_aspect in the contract",
        "samples", "warning", dimensions,
        {"min_side_px": 16, "max_side_px": 20_000, "max_aspect": 10.0},
        family="integrity", scope="sample",
    ),
    Check(
        "image-quality", "Sharp and well lit",
        "Images that are out of focus, nearly black or over-exposed.",
        "look at the images and remove those that show nothing", "samples", "warning", image_quality,
        {
            "min_luma": 0.06, "max_dark_fraction": 0.9, "max_luma": 0.88, "max_bright_fraction": 0.5,
            "min_sharpness": 0.335,
        },
        family="image", scope="sample", cost="pixels",
    ),
)  # fmt: skip

"""Checks of images: readable, of a usable size, sharp and well lit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from calotype.checks import measures
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Tally
from calotype.store.catalog import schema
from calotype.vision.quality import measures as quality


def readable(context: CheckContext, tally: Tally) -> None:
    """Media that are missing or cannot be decoded; files that imports quarantined, for information."""
    tally.looked_at = context.n_samples
    failing, ids = context.unmeasured, context.sample_ids
    broken, failed = measures.unreadable(context.store, context.snapshot, failing, sample_ids=ids)
    media = context.column("media_sha256")
    rows = np.flatnonzero(np.isin(media, list(broken)))

    def describe(row: int) -> Description:
        sha = str(media[row])
        return f"the image cannot be read: {broken[sha]}", {
            "media_sha256": sha,
            "repair": {"do": "remove-sample"},
        }

    tally.samples(rows, describe)
    _add_unmeasured(tally, media, failed)
    rows, figures = _figures(context, measures.FILE_FIGURES)
    cut = rows[figures[:, 2] == 0] if len(rows) else rows
    reason = "the JPEG lacks its end mark: it may have been cut off"
    tally.samples(cut, lambda _: (reason, {"fault": "no-end"}), severity="warning", fault="no-end")
    n_quarantined = _n_quarantined(context)
    if n_quarantined:
        reason = f"{n_quarantined} image files were quarantined at import and are in no sample"
        tally.dataset(reason, {"files": n_quarantined}, severity="info", fault="set-aside")


def _add_unmeasured(tally: Tally, media: npt.NDArray[Any], failed: Mapping[str, str]) -> None:
    """Images of which a measure fails: other checks pass over them, so this one names them."""
    rows = np.flatnonzero(np.isin(media, list(failed)))
    why = {row: failed[str(media[row])] for row in rows.tolist()}
    words = {row: (f"the image cannot be measured: {text}", {"error": text}) for row, text in why.items()}
    tally.samples(rows, words.__getitem__, severity="warning", fault="not-measured")


def _n_quarantined(context: CheckContext) -> int:
    table = schema.quarantine
    query = sa.select(sa.func.count()).where(
        table.c.dataset_id == context.snapshot.dataset.id, table.c.what == "image"
    )
    with context.store.catalog.read() as conn:
        return int(conn.execute(query).scalar() or 0)


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

        def describe(row: int, words: str = words, limit: float = limit) -> Description:
            size = [int(width[row]), int(height[row])]
            facts = {"image_wh_px": size, "aspect": round(float(aspect[row]), 3)}
            return f"the image is {size[0]}x{size[1]} px, {words.format(limit)}", facts

        tally.samples(np.flatnonzero(hit), describe, fault=name)


_WORDS = {
    "blurred": ("is out of focus", "sharpness"),
    "motion_blurred": ("was blurred by motion", "motion"),
    "over_exposed": ("is over-exposed", "over_exposure"),
    "under_exposed": ("is very dark", "under_exposure"),
    "low_contrast": ("has hardly any contrast", "contrast"),
    "noisy": ("is noisy", "noise"),
    "upscaled": ("was enlarged: it holds less detail than its size", "detail"),
    "letterboxed": ("has plain borders", "border"),
    "single_tone": ("has a single tone", "entropy"),
}
"""Fault -> its words, and the figure that shows it."""


def image_quality(context: CheckContext, tally: Tally) -> None:
    """Images out of focus, moved, badly lit, without contrast, noisy or with a single tone."""
    limits = quality.Limits(**{name: tally.number(f"min_{name}") for name in _IN_QUALITY})
    _add_faults(context, tally, limits, ("single_tone", *list(_WORDS)[:6]))


def upscaled(context: CheckContext, tally: Tally) -> None:
    """Images that were enlarged."""
    _add_faults(context, tally, quality.Limits(detail=tally.number("min_detail")), ("upscaled",))


def letterbox(context: CheckContext, tally: Tally) -> None:
    """Images with plain borders."""
    _add_faults(context, tally, quality.Limits(border=tally.number("min_inner")), ("letterboxed",))


_SHARP = ("sharpness", "sharpness_alone", "soft_contrast", "motion", "smeared_sharpness", "motion_alone")
_IN_QUALITY = (
    *_SHARP,
    "over_exposure",
    "over_exposed_brightness",
    "under_exposure",
    "brightness",
    "contrast",
    "noise",
    "entropy",
)
"""Limits that are parameters of `image-quality`."""


def _figures(context: CheckContext, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Rows of samples whose media have been measured, and their figures."""
    measured = context.measured(name)
    media = context.column("media_sha256")
    rows = np.flatnonzero(np.isin(media, list(measured)))
    values = [measured[str(sha)] for sha in media[rows]]
    return rows, np.stack(values).astype(np.float64) if values else np.zeros((0, len(quality.METRICS)))


def _add_faults(context: CheckContext, tally: Tally, limits: quality.Limits, names: tuple[str, ...]) -> None:
    rows, figures = _figures(context, measures.FIGURES)
    tally.looked_at = len(rows)
    if not len(rows):
        return
    faults = quality.faults(figures, limits)
    figures_of = dict(zip(rows.tolist(), figures, strict=True))
    for name in names:

        def describe(row: int, name: str = name) -> Description:
            words, figure = _WORDS[name]
            shown = {k: _shown(v) for k, v in zip(quality.METRICS, figures_of[row].tolist(), strict=True)}
            reason = f"the image {words} ({figure.replace('_', ' ')} {shown[figure]:.2f})"
            return reason, {"fault": name, **shown}

        tally.samples(rows[np.flatnonzero(faults[name])], describe)


def _shown(value: float) -> float | None:
    """A figure in facts, which are JSON; None where it cannot be judged."""
    return round(value, 4) if math.isfinite(value) else None


def jpeg_quality(context: CheckContext, tally: Tally) -> None:
    """JPEGs that were saved at a low quality."""
    rows, figures = _figures(context, measures.FILE_FIGURES)
    tally.looked_at = len(rows)
    saved_at = dict(zip(rows.tolist(), figures[:, 0].tolist(), strict=True))
    with np.errstate(invalid="ignore"):
        low = rows[figures[:, 0] < tally.number("min_quality")]

    def describe(row: int) -> Description:
        return f"saved at JPEG quality {saved_at[row]:.0f}", {"quality": round(saved_at[row], 1)}

    tally.samples(low, describe)


def orientation(context: CheckContext, tally: Tally) -> None:
    """Images that EXIF turns, and images whose EXIF thumbnail shows another turn or another image."""
    rows, figures = _figures(context, measures.FILE_FIGURES)
    tally.looked_at = len(rows)
    figures_of = dict(zip(rows.tolist(), figures, strict=True))
    with np.errstate(invalid="ignore"):
        differs = figures[:, 3] < tally.number("min_thumbnail")

    def describe(row: int) -> Description:
        value = int(figures_of[row][1])
        return f"EXIF orientation {value} turns the pixels", {"orientation": value}

    def describe_thumbnail(row: int) -> Description:
        value = round(float(figures_of[row][3]), 3)
        problem = "would fit the image better turned" if value < 0 else "shows something else"
        return f"the EXIF thumbnail {problem}", {"fault": "thumbnail", "thumbnail": value}

    tally.samples(rows[figures[:, 1] != 1], describe)
    tally.samples(rows[differs], describe_thumbnail, severity="warning", fault="thumbnail")


CHECKS = (
    Check(
        name="readable",
        title="Readable media",
        means="The image of each sample exists and can be decoded completely.",
        fix="add the original file again, or remove the sample",
        unit="samples",
        severity="error",
        family="integrity",
        scope="sample",
        cost="pixels",
        run=readable,
        source="decoding the complete file within limits",
        example="the image cannot be read: image file is truncated",
        steady=False,
        version=2,
    ),
    Check(
        name="dimensions",
        title="Image size",
        means="The image is not tiny, huge or extremely long.",
        fix="remove the sample, or set min_side_px, max_side_px and max_aspect in the contract",
        unit="samples",
        severity="warning",
        family="integrity",
        scope="sample",
        run=dimensions,
        parameters={"min_side_px": 16, "max_side_px": 20_000, "max_aspect": 10.0},
        source="limits of common networks and tools",
        example="the image is 9x640 px, shorter than 16 px",
    ),
    Check(
        name="image-quality",
        title="Sharp and well lit",
        means=(
            "The image is out of focus, blurred by motion, nearly black, over-exposed, flat, noisy or "
            "of a single tone."
        ),
        fix="look at the images and remove unusable ones",
        unit="samples",
        severity="warning",
        family="image",
        scope="sample",
        cost="pixels",
        run=image_quality,
        parameters={f"min_{name}": getattr(quality.Limits(), name) for name in _IN_QUALITY},
        source=(
            "second differences at the strongest edges, steps at reduced sizes, clipped shares, percentiles; noise "
            "after J. Immerkaer, 1996"
        ),
        example="the image is out of focus (sharpness 0.31)",
        version=4,
    ),
    Check(
        name="upscaled",
        title="Enlarged images",
        means="The image holds less detail than its size: it was enlarged, or is a little soft all over.",
        fix="ask the source for the original",
        unit="samples",
        severity="info",
        family="image",
        scope="sample",
        cost="pixels",
        run=upscaled,
        parameters={"min_detail": quality.Limits().detail},
        source="tail of the spectrum of rows and columns",
        example="the image was enlarged: it holds less detail than its size (detail 0.42)",
        version=3,
    ),
    Check(
        name="letterbox",
        title="Plain borders",
        means="Rows or columns of one colour frame the image.",
        fix="crop the image with a recipe, or ask the source for the original",
        unit="samples",
        severity="info",
        family="image",
        scope="sample",
        cost="pixels",
        run=letterbox,
        parameters={"min_inner": quality.Limits().border},
        source="lines of one tone that end abruptly",
        example="the image has plain borders (border 0.75)",
        version=2,
    ),
    Check(
        name="jpeg-quality",
        title="JPEG quality",
        means="The JPEG was saved at a low quality, by its quantisation tables.",
        fix="ask the source for the original",
        unit="samples",
        severity="info",
        family="image",
        scope="sample",
        cost="pixels",
        run=jpeg_quality,
        parameters={"min_quality": quality.Limits().jpeg_quality},
        source="quantisation tables, ITU-T T.81 annex K",
        example="saved at JPEG quality 12",
    ),
    Check(
        name="orientation",
        title="Turned by EXIF",
        means=(
            "The file says that its pixels have to be turned (Calotype does so; other programs may not), "
            "or its thumbnail shows another turn or another image: it was changed by a program that "
            "ignores EXIF."
        ),
        fix=(
            "look at the image; export with images copied, or turn the pixels with a recipe before "
            "others use them"
        ),
        unit="samples",
        severity="info",
        family="image",
        scope="sample",
        cost="pixels",
        run=orientation,
        parameters={"min_thumbnail": 0.5},
        source="EXIF tag 274, and the thumbnail in EXIF",
        example="EXIF orientation 6 turns the pixels",
        version=2,
    ),
)

"""Checks of images: readable, of a usable size, sharp and well lit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from calotype.checks import measures
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Tally
from calotype.store.catalog import schema
from calotype.vision import quality


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
    rows, figures = _figures(context, measures.FILE_FIGURES)
    cut = rows[figures[:, 2] == 0] if len(rows) else rows
    reason = "the JPEG lacks its end mark: it may have been cut off"
    tally.samples(cut, lambda _: (reason, {"fault": "no-end"}), severity="warning", fault="no-end")
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


_WORDS = {
    "blurred": ("is out of focus", "sharpness"),
    "motion_blurred": ("was blurred by motion", "motion"),
    "over_exposed": ("is over-exposed", "over_exposure"),
    "under_exposed": ("is very dark", "under_exposure"),
    "low_contrast": ("has hardly any contrast", "contrast"),
    "noisy": ("is noisy", "noise"),
    "upscaled": ("was enlarged: it holds less detail than its size", "detail"),
    "letterboxed": ("has plain borders", "border"),
    "single_tone": ("is of a single tone", "entropy"),
}
"""Fault -> how it is told, and the figure that shows it."""


def image_quality(context: CheckContext, tally: Tally) -> None:
    """Images out of focus, moved, badly lit, without contrast, noisy or of a single tone."""
    limits = quality.Limits(**{name: tally.number(f"min_{name}") for name in _IN_QUALITY})
    _tell_faults(context, tally, limits, ("single_tone", *list(_WORDS)[:6]))


def upscaled(context: CheckContext, tally: Tally) -> None:
    """Images that were enlarged."""
    _tell_faults(context, tally, quality.Limits(detail=tally.number("min_detail")), ("upscaled",))


def letterbox(context: CheckContext, tally: Tally) -> None:
    """Images with plain borders."""
    _tell_faults(context, tally, quality.Limits(border=tally.number("min_inner")), ("letterboxed",))


_IN_QUALITY = (
    "sharpness", "sharpness_alone", "motion", "motion_alone", "over_exposure", "under_exposure", "brightness",
    "contrast", "noise", "entropy",
)  # fmt: skip


def _figures(context: CheckContext, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Rows of samples whose media is measured, and their figures."""
    measured = context.measured(name)
    media = context.column("media_sha256")
    rows = np.flatnonzero(np.isin(media, list(measured)))
    values = [measured[str(sha)] for sha in media[rows]]
    return rows, np.stack(values).astype(np.float64) if values else np.zeros((0, len(quality.METRICS)))


def _tell_faults(context: CheckContext, tally: Tally, limits: quality.Limits, names: tuple[str, ...]) -> None:
    rows, figures = _figures(context, measures.FIGURES)
    tally.looked_at = len(rows)
    if not len(rows):
        return
    found = quality.faults(figures, limits)
    at = {int(row): k for k, row in enumerate(rows)}
    for name in names:
        words, figure = _WORDS[name]

        def tell(
            row: int, name: str = name, words: str = words, figure: str = figure
        ) -> tuple[str, dict[str, Any]]:
            facts = {
                key: round(float(v), 4) for key, v in zip(quality.METRICS, figures[at[row]], strict=True)
            }
            return f"the image {words} ({figure.replace('_', ' ')} {facts[figure]:.2f})", {
                "fault": name,
                **facts,
            }

        tally.samples(rows[np.flatnonzero(found[name])], tell)


def jpeg_quality(context: CheckContext, tally: Tally) -> None:
    """JPEGs that were saved at a low quality."""
    rows, figures = _figures(context, measures.FILE_FIGURES)
    tally.looked_at = len(rows)
    at = {int(row): float(figures[k, 0]) for k, row in enumerate(rows)}
    with np.errstate(invalid="ignore"):
        hit = rows[figures[:, 0] < tally.number("min_quality")] if len(rows) else rows
    tally.samples(
        hit, lambda row: (f"it was saved at JPEG quality {at[row]:.0f}", {"quality": round(at[row], 1)})
    )


def orientation(context: CheckContext, tally: Tally) -> None:
    """Images that EXIF turns, and images whose thumbnail in EXIF shows another turn or another picture."""
    rows, figures = _figures(context, measures.FILE_FIGURES)
    tally.looked_at = len(rows)
    at = {int(row): figures[k] for k, row in enumerate(rows)}
    turned, thumbnail = (figures[:, 1] != 1, figures[:, 3]) if len(rows) else (np.zeros(0, bool), np.zeros(0))
    differs = thumbnail < tally.number("min_thumbnail")

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        value = int(at[row][1])
        return f"EXIF orientation {value} turns the pixels", {"orientation": value}

    def tell_thumbnail(row: int) -> tuple[str, dict[str, Any]]:
        value = round(float(at[row][3]), 3)
        how = "would fit the image better turned" if value < 0 else "shows something else"
        return f"the thumbnail in EXIF {how}", {"fault": "thumbnail", "thumbnail": value}

    tally.samples(rows[turned], tell)
    tally.samples(rows[differs], tell_thumbnail, severity="warning", fault="thumbnail")


CHECKS = (
    Check(
        "readable", "Readable media",
        "The image of each sample is there and can be decoded whole.",
        "add the original file again, or remove the sample", "samples", "error", readable,
        family="integrity", scope="sample", cost="pixels", steady=False, version=2,
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
        "Images that are out of focus, blurred by motion, nearly black, over-exposed, flat, noisy or of one tone.",
        "look at the images and remove those that show nothing", "samples", "warning", image_quality,
        {f"min_{name}": getattr(quality.Limits(), name) for name in _IN_QUALITY},
        family="image", scope="sample", cost="pixels", version=3,
    ),
    Check(
        "upscaled", "Enlarged images",
        "The image holds less detail than its size: it was enlarged, or is a little soft all over.",
        "ask the source for the original", "samples", "info", upscaled, {"min_detail": quality.Limits().detail},
        family="image", scope="sample", cost="pixels", version=2,
    ),
    Check(
        "letterbox", "Plain borders",
        "Rows or columns of one colour frame the image.",
        "crop the image with a recipe, or ask the source for the original", "samples", "info", letterbox,
        {"min_inner": quality.Limits().border}, family="image", scope="sample", cost="pixels", version=2,
    ),
    Check(
        "jpeg-quality", "JPEG quality",
        "The JPEG was saved at a low quality, told from its tables.",
        "ask the source for the original", "samples", "info", jpeg_quality,
        {"min_quality": quality.Limits().jpeg_quality}, family="image", scope="sample", cost="pixels",
    ),
    Check(
        "orientation", "Turned by EXIF",
        "The file says that its pixels have to be turned (Calotype does so; other programs may not), or its thumbnail "
        "shows another turn or another picture: it was changed by a program that did not mind EXIF.",
        "look at the image; export with images copied, or turn the pixels with a recipe before others use them",
        "samples", "info", orientation, {"min_thumbnail": 0.5},
        family="image", scope="sample", cost="pixels", version=2,
    ),
)  # fmt: skip

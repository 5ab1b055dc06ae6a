"""Where definitions and limits of checks come from, and what a finding of each says: for the reference."""

from __future__ import annotations

_OWN = "set on drawn and real pictures so that ordinary ones pass"

SOURCES: dict[str, tuple[str, str]] = {
    "readable": (
        "decoding the whole file within limits",
        "the image cannot be read: image file is truncated",
    ),
    "dimensions": ("limits of common networks and tools", "the image is 9x640 px, shorter than 16 px"),
    "exact-duplicates": ("SHA-256 of bytes, and of size and pixels", "the image has the same bytes as a.jpg"),
    "near-duplicates": (
        "difference hash (N. Krawetz, 2013) and fitted thumbnails; affine fit as S. Baker and I. Matthews, 2004",
        "the image looks like a.jpg (correlation 0.991, 2 alike)",
    ),
    "box-bounds": (
        "boxes are continuous pixels (decision 0008)",
        "the box of car reaches 9.0 px beyond the image of 640x480 px",
    ),
    "degenerate-shapes": ("area and sides", "the box of car is 0 x 9 px and has no area"),
    "duplicate-annotations": (
        "intersection over union",
        "the box of car covers the same place as another car (overlap 0.981)",
    ),
    "conflicting-boxes": (
        "intersection over union",
        "the box of bus covers the same place as a truck (overlap 0.942)",
    ),
    "nested-boxes": ("share of the smaller box", "the box of car lies within another car (overlap 0.310)"),
    "unknown-classes": ("ontology and contract", "its class 'vann' is not one of the contract's 8 classes"),
    "class-balance": (
        "the contract; effective number of samples, Y. Cui et al., 2019",
        "class 'dog' has 3 annotations, the contract asks for 50",
    ),
    "unlabelled": ("the label set under test", "the sample has no annotation in ground_truth"),
    "split-leakage": (
        "the checks of copies, groups, parents",
        "the val image has the same bytes as a.jpg in train",
    ),
    "licence": ("the contract", "the sample has no licence"),
    "metadata": ("the contract", "the metadata field 'light' is 'dusk', allowed are 'day', 'night'"),
    "coverage": ("the contract", "12 samples match 'night', the contract asks for 100"),
    "image-quality": (
        "second differences at the strongest edges, clipped shares, percentiles; noise after J. Immerkaer, 1996",
        "the image is out of focus (sharpness 0.31)",
    ),
    "upscaled": (
        "tail of the spectrum of rows and columns",
        "the image was enlarged: it holds less detail than its size (detail 0.42)",
    ),
    "letterbox": ("lines of one tone that end abruptly", "the image has plain borders (border 0.75)"),
    "jpeg-quality": ("quantisation tables, ITU-T T.81 annex K", "it was saved at JPEG quality 12"),
    "orientation": ("EXIF tag 274, and the thumbnail in EXIF", "EXIF orientation 6 turns the pixels"),
    "invalid-polygons": ("segments that cross, sweep by pairs", "a ring of 7 points crosses itself"),
    "shape-mismatch": ("extent of rings, size of masks", "the polygon and its box are 14.0 px apart"),
    "mask-islands": (
        "connected parts, 4 neighbours",
        "2 of the mask's 3 parts are specks, the smallest of 4 px",
    ),
    "keypoints": (
        "COCO's keypoints; sides by majority of stiff pairs",
        "left_hip and right_hip look swapped",
    ),
    "track-jumps": ("distance of centres over size", "the track jumps by 3.2 of its size a frame"),
    "box-outliers": (
        "median and median deviation of log area and log aspect",
        "its area is 0.002 times the usual of car (6.1 deviations)",
    ),
    "label-errors": (
        "confident learning (C. Northcutt et al., 2021), a mixture taken apart; cut by expected F1 (Z. Lipton, 2014)",
        "labelled bus, it looks like truck (wrong with probability 0.91)",
    ),
    "box-errors": (
        "ObjectLab's kinds (U. Tkachenko et al., 2023), learned from errors planted in the labels",
        "the model sees a person that has no box",
    ),
    "annotators": (
        "A. Dawid and A. Skene, 1979, one skill an annotator",
        "3 annotators, 67% say cat: trusted by 0.58",
    ),
    "gold": ("the contract's `gold`", "it says cat, gold dog"),
}
"""Check -> source and example. `_OWN` limits are listed as parameters."""

DEFAULT_SOURCE = _OWN

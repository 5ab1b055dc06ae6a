"""The list of checks: what each means, its parameters, its severity and how to repair what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from calotype.checks.suite import declared, duplicates, labels, media, shapes
from calotype.checks.suite.context import CheckContext, Parameter, Tally


@dataclass(frozen=True, slots=True)
class Check:
    """One data test. `unit` is what it looks at; a gate's `max_fraction` is a share of that."""

    name: str
    title: str
    means: str
    fix: str
    unit: str
    severity: str
    run: Callable[[CheckContext, Tally], None]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


_NEAR: dict[str, Parameter] = {"max_hash_distance": 10, "min_correlation": 0.95, "max_misfit": 0.12}

_CHECKS = (
    Check(
        "readable", "Readable media",
        "The image of each sample is there and can be decoded whole.",
        "add the original file again, or remove the sample", "samples", "error", media.readable,
    ),
    Check(
        "dimensions", "Image size",
        "Images are neither tiny, huge nor extremely long.",
        "remove the sample, or set min_side_px, max_side_px and max_aspect in the contract",
        "samples", "warning", media.dimensions,
        {"min_side_px": 16, "max_side_px": 20_000, "max_aspect": 10.0},
    ),
    Check(
        "exact-duplicates", "Exact duplicates",
        "The same image is in the dataset more than once: same bytes, or same pixels in other bytes.",
        "keep one sample of each group", "samples", "warning", duplicates.exact_duplicates,
    ),
    Check(
        "near-duplicates", "Near duplicates",
        "Images that look nearly the same: saved again, slightly cropped, or frames of one scene.",
        "keep one of each group, or give the samples one group so that they stay in one split",
        "samples", "warning", duplicates.near_duplicates, _NEAR,
    ),
    Check(
        "box-bounds", "Boxes inside the image",
        "A box reaches beyond the image by more than a tolerance.",
        "move or clip the box", "annotations", "warning", shapes.box_bounds, {"tolerance_px": 1.0},
    ),
    Check(
        "degenerate-shapes", "Shapes with an area",
        "A box, polygon or mask has no area, or a box is too thin to show anything.",
        "draw the shape again, or remove the annotation",
        "annotations", "warning", shapes.degenerate_shapes, {"min_side_px": 2.0},
    ),
    Check(
        "duplicate-annotations", "Annotated twice",
        "Two boxes of one class cover the same place on one sample.",
        "remove one of the two", "annotations", "warning", shapes.duplicate_annotations, {"min_iou": 0.95},
    ),
    Check(
        "unknown-classes", "Known classes",
        "An annotation's class is in the ontology and, where the contract lists classes, in the contract.",
        "give the annotation a class of the contract, or add the class to the contract",
        "annotations", "error", labels.unknown_classes,
    ),
    Check(
        "class-balance", "Enough of each class",
        "Each class of the contract has its minimum of data, and no class outweighs another too far.",
        "collect or label more of the rare classes", "classes", "info", labels.class_balance,
        {"max_ratio": 20.0},
    ),
    Check(
        "unlabelled", "Samples without annotations",
        "A sample has no annotation in the label set under test.",
        "label the sample, or remove it when it should not be here; an empty scene may be right as it is",
        "samples", "warning", labels.unlabelled,
    ),
    Check(
        "split-leakage", "Leakage between splits",
        "The same image, original or group lies in two splits (error), or a near copy does (warning).",
        "put all copies into one split; split by group", "samples", "error",
        duplicates.split_leakage, _NEAR,
    ),
    Check(
        "licence", "Licences",
        "Each sample has a licence, and one that the contract allows.",
        "ask the source for the licence, or remove the sample", "samples", "warning", declared.licence,
    ),
    Check(
        "metadata", "Metadata",
        "Each sample has the metadata that the contract requires, of its type and in its range.",
        "fill in the field at the source and import again", "samples", "error", declared.metadata,
    ),
    Check(
        "coverage", "Coverage of conditions",
        "Each condition that the contract names is met by enough samples.",
        "collect samples that meet the condition", "conditions", "error", declared.coverage,
    ),
    Check(
        "image-quality", "Sharp and well lit",
        "Images that are out of focus, nearly black or over-exposed.",
        "look at the images and remove those that show nothing", "samples", "warning", media.image_quality,
        {
            "min_luma": 0.06, "max_dark_fraction": 0.9, "max_luma": 0.88, "max_bright_fraction": 0.5,
            "min_sharpness": 0.335,
        },
    ),
)  # fmt: skip

REGISTRY: dict[str, Check] = {check.name: check for check in _CHECKS}

"""What the rows of label files are: boxes, polygons, poses, oriented boxes, or invalid, judged in columns.

Source: the dataset formats of Ultralytics YOLO (detect, segment, pose, OBB) and Darknet. All values after the class are
shares of the width and height of the upright image; a prediction has its score at the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from calotype.formats.passthrough import shown
from calotype.trainer_formats.yolo.config import Config
from calotype.trainer_formats.yolo.label_text import Floats, Ints, Rows

Bools = npt.NDArray[np.bool_]
SLACK = 1e-3
"""How far a coordinate may exceed 0 or 1 by rounding; it is clipped."""
TRAINER_SLACK = 0.01
"""How far a corner of an oriented box may exceed 0 or 1; trainers take it as it is, and refuse the image beyond that.

Source: the check of label files in Ultralytics (`verify_image_label`)."""
_PIXELS = 1.5
"""A coordinate above is in pixels, not a share that is a little off."""
_RECTANGLE_PX = 1.5
"""How far the corners of an oriented box may lie from a rectangle, in pixels."""


class Form(IntEnum):
    """What a row is."""

    INVALID = 0
    BOX = 1
    POLYGON = 2
    POSE = 3
    ORIENTED = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """The form of each row, whether it was clipped, whether it ends with a score, and whether it is four corners of
    which one lies a little outside the image."""

    forms: npt.NDArray[np.int8]
    clipped: Bools
    scored: Bools
    beyond: Bools


def judge(rows: Rows, config: Config) -> Judged:
    """Judge all rows of a set. Oriented boxes come out as polygons; see `with_oriented`."""
    n = np.diff(rows.starts)
    no_row = np.zeros((3, len(rows)), bool)
    judged = Judged(np.zeros(len(rows), np.int8), *no_row)
    usable = _known_classes(rows, config) & _finite(rows)
    pose = np.zeros(len(rows), bool)
    if config.keypoints is not None:
        width = 5 + config.keypoints[0] * config.keypoints[1]
        pose = (n == width) | (n == width + 1)
        judged.scored[pose & (n == width + 1)] = True
        for scored in (False, True):
            _judge_poses(
                rows, np.flatnonzero(usable & pose & (n == width + scored)), config.keypoints, judged
            )
    box = ~pose & ((n == 5) | (n == 6))
    judged.scored[box & (n == 6)] = True
    _judge_boxes(rows, np.flatnonzero(usable & box), judged)
    ring = ~pose & (n >= 7) & (n % 2 == 1)
    even = ~pose & (n >= 8) & (n % 2 == 0)
    if even.any() and not ring.any() and not (box & (n == 5)).any():  # predictions of polygons
        judged.scored[even] = True
        ring = even
    _judge_rings(rows, np.flatnonzero(usable & ring), judged)
    return judged


def with_oriented(rows: Rows, judged: Judged, config: Config, sizes_wh: Floats) -> tuple[Judged, bool]:
    """The rows with oriented boxes among the polygons as such, and whether some of a stated set have no right angles.

    Args:
        sizes_wh: (R, 2) size of the image of each row in pixels, 0 where unknown.
    """
    turned, is_loose = _oriented(rows, judged, config, sizes_wh)
    forms = np.where(turned, np.int8(Form.ORIENTED), judged.forms)
    beyond = judged.beyond & turned
    loose = judged.beyond & ~turned & (forms == Form.POLYGON)
    forms[loose] = Form.POLYGON if config.task == "obb" else Form.INVALID
    return Judged(forms, judged.clipped | (loose & (forms == Form.POLYGON)), judged.scored, beyond), is_loose


def _oriented(rows: Rows, judged: Judged, config: Config, sizes_wh: Floats) -> tuple[Bools, bool]:
    """(R,) polygons that are oriented boxes, and whether the task is stated and some have no right angles.

    A set is one of oriented boxes where `task: obb` says so, or where every polygon has four corners that form a
    rectangle.

    Args:
        sizes_wh: (R, 2) size of the image of each row in pixels, 0 where unknown.
    """
    n = np.diff(rows.starts)
    polygons = judged.forms == Form.POLYGON
    found = np.zeros(len(rows), bool)
    quads = np.flatnonzero(polygons & (n - judged.scored == 9))
    stated = config.task == "obb"
    if not len(quads) or config.task not in ("", "obb") or not (stated or len(quads) == polygons.sum()):
        return found, False
    values = rows.values[rows.starts[quads][:, None] + np.arange(1, 9)].reshape(-1, 4, 2)
    corners = values * sizes_wh[quads][:, None, :]
    right = _are_rectangles(corners) & (sizes_wh[quads] > 0).all(axis=1)
    if not stated and not right[~judged.beyond[quads]].all():
        return found, False
    found[quads[right]] = True
    return found, bool(stated and not right.all())


def _are_rectangles(corners: Floats) -> Bools:
    """(N,) whether four corners (N, 4, 2) in pixels form a rectangle: diagonals of one length and one middle."""
    diagonals = corners[:, :2] - corners[:, 2:]
    middles = (corners[:, :2] + corners[:, 2:]) / 2
    lengths = np.hypot(diagonals[..., 0], diagonals[..., 1])
    apart = np.hypot(*(middles[:, 0] - middles[:, 1]).T)
    return np.asarray((apart <= _RECTANGLE_PX) & (np.abs(lengths[:, 0] - lengths[:, 1]) <= 2 * _RECTANGLE_PX))


def problem(values: Sequence[float], config: Config) -> str:
    """Why a row is invalid."""
    if not all(math.isfinite(value) for value in values):
        return "it has a number that is not finite"
    if values[0] != int(values[0]) or int(values[0]) not in config.names:
        return f"class {shown(_short(values[0]))} is not among the {len(config.names)} names"
    rest = values[1:]
    n_points, size = config.keypoints or (0, 0)
    is_pose = n_points > 0 and len(rest) in (4 + n_points * size, 5 + n_points * size)
    if not is_pose and not (len(rest) in (4, 5) or (len(rest) >= 6 and len(rest) % 2 == 0)):
        pose = f", a pose {5 + n_points * size}" if n_points else ""
        return f"it has {len(values)} fields; a box has 5, a polygon an odd number from 7 up{pose}"
    numbers = rest[:4] if is_pose or len(rest) < 6 else rest
    if len(numbers) == 4 and min(rest[2:4]) < 0:
        return "its width or height is below 0"
    if any(value > _PIXELS for value in numbers):
        return "its coordinates are pixels, not shares of the image: divide them by its width and height"
    if any(_is_outside(value) for value in numbers):
        return (
            "its coordinates are not between 0 and 1"
            if len(numbers) == 4
            else "a corner is outside the image"
        )
    if len(rest) == 5 and not 0 <= rest[4] <= 1:
        return f"its score {rest[4]:g} is not between 0 and 1"
    return "a keypoint is outside the image, or its visibility is not 0, 1 or 2"


def _short(value: float) -> str:
    return f"{value:g}"


def _is_outside(value: float) -> bool:
    return value < -SLACK or value > 1 + SLACK


def _known_classes(rows: Rows, config: Config) -> Bools:
    first = rows.values[rows.starts[:-1]]
    known: Bools = np.isin(first, np.array(sorted(config.names), np.float64))
    return known


def _finite(rows: Rows) -> Bools:
    finite = np.ones(len(rows), bool)
    bad = np.flatnonzero(~np.isfinite(rows.values))
    finite[np.searchsorted(rows.starts, bad, side="right") - 1] = False
    return finite


def _judge_boxes(rows: Rows, at: Ints, judged: Judged) -> None:
    matrix = rows.values[rows.starts[at][:, None] + np.arange(1, 5)]
    good = _are_boxes(matrix)
    scored = judged.scored[at]
    scores = rows.values[rows.starts[1:][at] - 1]
    good &= ~scored | ((scores >= 0) & (scores <= 1))
    judged.forms[at[good]] = Form.BOX
    judged.clipped[at] = boxes_of(matrix)[1]


def _are_boxes(matrix: Floats) -> Bools:
    """(N,) whether (N, 4) centre, width and height are shares."""
    inside = ((matrix >= -SLACK) & (matrix <= 1 + SLACK)).all(axis=1)
    return np.asarray(inside & (matrix[:, 2:] >= 0).all(axis=1))


def boxes_of(matrix: Floats) -> tuple[Floats, Bools]:
    """(N, 4) left, top, width, height of (N, 4) centre, width, height; and which had a side clipped."""
    centre, size = matrix[:, :2], matrix[:, 2:4]
    sides = np.hstack([centre - size / 2, centre + size / 2])
    near = (sides >= -SLACK) & (sides <= 1 + SLACK)
    snapped = np.where(near, np.clip(sides, 0.0, 1.0), sides)
    clipped: Bools = np.asarray((np.abs(snapped - sides) > 1e-9).any(axis=1))
    boxes = np.hstack([sides[:, :2], size])
    boxes[clipped] = np.hstack([snapped[clipped, :2], snapped[clipped, 2:] - snapped[clipped, :2]])
    return boxes, clipped


def _judge_poses(rows: Rows, at: Ints, shape: tuple[int, int], judged: Judged) -> None:
    matrix = rows.values[rows.starts[at][:, None] + np.arange(1, 5)]
    points, scored = keypoints_of(rows, at, shape), judged.scored[at]
    seen = points[:, :, 2] > 0
    outside = (points[:, :, :2] < -SLACK) | (points[:, :, :2] > 1 + SLACK)
    good = _are_boxes(matrix) & ~(outside.any(axis=2) & seen).any(axis=1)
    known = np.isin(points[:, :, 2], (0.0, 1.0, 2.0)) | (scored[:, None] & (points[:, :, 2] <= 1))
    scores = rows.values[rows.starts[1:][at] - 1]
    good &= known.all(axis=1) & (points[:, :, 2] >= 0).all(axis=1)
    good &= ~scored | ((scores >= 0) & (scores <= 1))
    judged.forms[at[good]] = Form.POSE
    judged.clipped[at] = boxes_of(matrix)[1]


def keypoints_of(rows: Rows, at: Ints, shape: tuple[int, int]) -> Floats:
    """(N, K, 3) shares and visibility of the keypoints of some rows; with 2 numbers each, 0 0 is not labelled."""
    n_points, size = shape
    columns = np.arange(5, 5 + n_points * size)
    points: Floats = rows.values[rows.starts[at][:, None] + columns].reshape(-1, n_points, size)
    if size == 3:
        return points
    seen = (points > 0).any(axis=2) & (points >= -SLACK).all(axis=2)
    return np.concatenate([points, np.where(seen, 2.0, 0.0)[:, :, None]], axis=2)


def _judge_rings(rows: Rows, at: Ints, judged: Judged) -> None:
    if not len(at):
        return
    values, starts = ring_values(rows, at, judged.scored[at])
    highest, lowest = (pick.reduceat(values, starts[:-1]) for pick in (np.maximum, np.minimum))
    inside = (lowest >= -SLACK) & (highest <= 1 + SLACK)
    near = (lowest >= -TRAINER_SLACK) & (highest <= 1 + TRAINER_SLACK) & (np.diff(starts) == 8)
    scores = rows.values[rows.starts[1:][at] - 1]
    good = (inside | near) & (~judged.scored[at] | ((scores >= 0) & (scores <= 1)))
    judged.forms[at[good]] = Form.POLYGON
    judged.clipped[at] = good & inside & ((lowest < 0) | (highest > 1))
    judged.beyond[at] = good & ~inside


def ring_values(rows: Rows, at: Ints, scored: Bools) -> tuple[Floats, Ints]:
    """The corners of some rows, one after another, and where those of each start (N + 1)."""
    lengths = np.diff(rows.starts)[at] - 1 - scored
    starts = np.append(0, np.cumsum(lengths)).astype(np.int64)
    place = np.arange(starts[-1]) + np.repeat(rows.starts[at] + 1 - starts[:-1], lengths)
    return rows.values[place], starts

"""Videos of Label Studio: rectangles at keyframes, carried on to the frames between them.

Source: the tag VideoRectangle, and `extract_key_frames` of the Label Studio tools. Frames count from 1. A keyframe that
is not `enabled` is the last one that shows its object, until the next keyframe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from calotype.formats.fields import BadItem, listing, mapping, number, whole
from calotype.tool_formats.collected import Collected, Facts
from calotype.tool_formats.frames import Frames
from calotype.tool_formats.label_studio import regions

_TYPE = "videorectangle"
_SIDES = ("x", "y", "width", "height", "rotation")
_MAX_FRAME = 10_000_000
_MAX_SHAPES = 1_000_000


def read(collected: Collected, frames: Frames, results: Sequence[Any], where: str, score: Any) -> None:
    """The rectangles of one annotation of a video; what else is said of it is left out."""
    for at, one in enumerate(results):
        place = f"{where} result[{at}]"
        with collected.item(place):
            result = mapping(one, "result")
            if result.get("type") != _TYPE:
                words = "label of a video that is not a rectangle: left out"
                collected.notices.add("value-dropped", place, what=words)
                continue
            value = mapping(result.get("value"), "value")
            names = regions.class_names({"value": {"labels": value.get("labels")}})
            identity = result.get("id") if isinstance(result.get("id"), str) else place
            facts = Facts({"track_id": identity}, score=result.get("score", score))
            for frame, sides in _shapes(value):
                with collected.item(f"{place} frame {frame}"):
                    key = frames.image(frame - 1, f"{place} frame {frame}")
                    shape = regions.shape("rectangle", sides, collected.size_of(key))
                    for name in dict.fromkeys(names):
                        collected.add(key, name, shape, f"{place} frame {frame}", facts)


def _shapes(value: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, float]]]:
    """Frame and sides in percent, at the keyframes and between them. Raises: BadItem."""
    listed = [mapping(one, "keyframe") for one in listing(value.get("sequence"), "sequence")]
    keys = sorted(
        ((whole(one.get("frame"), "frame", most=_MAX_FRAME), one) for one in listed), key=lambda k: k[0]
    )
    if not keys:
        return
    last, stop = keys[-1][0], whole(value.get("framesCount") or 0, "framesCount", most=_MAX_FRAME)
    if max(last, stop) - keys[0][0] > _MAX_SHAPES:
        raise BadItem(f"it lasts for more than {_MAX_SHAPES:,} frames")
    for (frame, one), (until, other) in pairwise([*keys, (max(last, stop) + 1, keys[-1][1])]):
        first, second = _sides(one), _sides(other)
        for at in range(frame, until if one.get("enabled", True) else min(until, frame + 1)):
            share = (at - frame) / (until - frame)
            yield at, {side: first[side] + (second[side] - first[side]) * share for side in _SIDES}


def _sides(one: Mapping[str, Any]) -> dict[str, float]:
    return {side: number(one.get(side) or 0, side, most=1e6) for side in _SIDES}

"""A dataset with an annotation of every kind, for rooms that handle annotations."""

from __future__ import annotations

from typing import Any

from tests.support.images import draw, encode

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.foundation.actor import Actor
from calotype.foundation.ids import uuid8
from calotype.store import Store
from calotype.vision import images, masks, polygons
from calotype.vision.corners import Rectangle, area_of, bounds_of, corners_of
from calotype.vision.ontology import Ontology

SIZE_WH = (640, 480)
SHIP = Rectangle(150.0, 110.0, 120.0, 50.0, 30.0)
PUPIL = Rectangle(330.0, 110.0, 130.0, 70.0, -25.0)
FIELD = (430.0, 50.0, 600.0, 40.0, 560.0, 150.0, 480.0, 170.0)
CELL = (40.0, 220.0, 180.0, 220.0, 160.0, 330.0, 60.0, 300.0)
LANE = ((230.0, 330.0, 300.0, 270.0, 400.0, 250.0), (420.0, 245.0, 440.0, 240.0))
SEEDS = ((480.0, 220.0, 520.0, 250.0, 560.0, 215.0),)
WORDS = "Two ships lie in the harbour while gulls circle above the pier."
FACTS: dict[Kind, dict[str, Any]] = {
    Kind.ROTATED_BOX: {"angle_deg": 30.0, "track_id": 7, "occluded": True},
    Kind.BOX: {"truncated": True, "difficult": True, "text": "KD-4711"},
    Kind.POLYLINE: {"group_id": 3},
    Kind.CAPTION: {"text": WORDS},
}


def every_kind(sample_id: str, number: int = 0) -> list[Annotation]:
    """One annotation of every kind on an image of 640 x 480 px, classes in the order of `Kind`."""
    mask = masks.encode(polygons.rasterise([CELL], size_hw=(SIZE_WH[1], SIZE_WH[0])))
    rings: dict[Kind, tuple[tuple[float, ...], ...]] = {
        Kind.ROTATED_BOX: (corners_of(SHIP),),
        Kind.ELLIPSE: (corners_of(PUPIL),),
        Kind.POLYGON: (FIELD,),
        Kind.POLYLINE: LANE,
        Kind.POINT: SEEDS,
    }
    given: dict[Kind, dict[str, Any]] = {
        Kind.BOX: {"bbox_xywh_px": (30.0, 360.0, 120.0, 80.0), "area_px": 9_600.0},
        Kind.MASK: {
            "bbox_xywh_px": mask.bbox_xywh_px(),
            "mask_rle": masks.to_string(mask),
            "mask_size_hw": mask.size_hw,
            "area_px": float(mask.area_px),
        },
        Kind.KEYPOINTS: {
            "bbox_xywh_px": (450.0, 300.0, 120.0, 150.0),
            "keypoints_xyv": (480.0, 330.0, 2.0, 540.0, 330.0, 2.0, 510.0, 420.0, 1.0),
            "area_px": 18_000.0,
        },
    }
    for kind, ring in rings.items():
        given[kind] = {
            "rings_px": ring,
            "bbox_xywh_px": bounds_of(kind, ring),
            "area_px": area_of(kind, ring),
        }
    return [
        Annotation(
            uuid8("kind", str(number), kind),
            sample_id,
            kind,
            class_id,
            attributes=FACTS.get(kind, {}),
            **given.get(kind, {}),
        )
        for class_id, kind in enumerate(Kind)
    ]


def ontology() -> Ontology:
    """A class for each kind, with its name and in its order; keypoints have a skeleton."""
    classes = Ontology()
    for kind in Kind:
        points = ("left", "right", "tail") if kind is Kind.KEYPOINTS else ()
        classes = classes.add(
            "caption" if kind is Kind.CAPTION else f"a {kind}".replace("_", " "),
            keypoints=points,
            skeleton=((0, 1), (1, 2), (2, 0)) if points else (),
        )
    return classes


def make_kinds(actor: Actor, store: Store, *, n: int = 3) -> list[Sample]:
    """Dataset `kinds`: `n` pictures, on each an annotation of every kind, as frames of the video `harbour`."""
    datasets.create(actor, "kinds", store=store)
    samples = []
    for number in range(n):
        data = encode(draw(number + 5, size_wh=SIZE_WH, n_boxes=14), "image/png")
        put, facts, name = store.media.put(data), images.probe(data), f"kinds-{number}.png"
        samples.append(
            Sample(
                uuid8("kinds", str(number)),
                put.sha256,
                name,
                facts.width_px,
                facts.height_px,
                facts.mime,
                put.n_bytes,
                names=(name,),
                licence="CC0-1.0",
                group="harbour",
                split=("train", "val", "test")[number % 3],
                metadata={"video": "harbour", "frame": number},
            )
        )
    annotations = [a for at, sample in enumerate(samples) for a in every_kind(sample.sample_id, at)]
    change = Change(put_samples=samples, put_annotations={"ground_truth": annotations}, ontology=ontology())
    datasets.apply(actor, "kinds", change, store=store)
    return samples

"""Datasets with drawn shapes whose place is known, for what moves pixels and annotations together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw
from tests.support.images import draw, encode

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.foundation.actor import Actor
from calotype.foundation.ids import uuid8
from calotype.store import Store
from calotype.vision import images, masks
from calotype.vision.ontology import Ontology

KEYPOINTS = ("nose", "left_eye", "right_eye")
ONTOLOGY = Ontology().add("car").add("person", keypoints=KEYPOINTS).add("sign")
RED, GROUND = (230, 20, 20), (20, 60, 120)


def shape(kind: Kind, *, size_wh: tuple[int, int] = (160, 120)) -> tuple[np.ndarray, Annotation]:
    """A red shape on blue and its annotation, class 1."""
    picture = Image.new("RGB", size_wh, GROUND)
    pen = ImageDraw.Draw(picture)
    box = (40.0, 30.0, 60.0, 40.0)
    common = Annotation("a1", "s1", Kind.BOX, 1, box, area_px=box[2] * box[3], attributes={"colour": "red"})
    if kind is Kind.POLYGON:
        ring = (40.0, 70.0, 70.0, 30.0, 100.0, 70.0)
        fine = Image.new("L", (size_wh[0] * 8, size_wh[1] * 8))
        ImageDraw.Draw(fine).polygon([v * 8 for v in ring], fill=255)
        picture.paste(RED, mask=fine.resize(size_wh, Image.Resampling.BOX))
        return np.asarray(picture), replace(common, kind=kind, rings_px=(ring,), area_px=1200.0)
    if kind is Kind.MASK:
        pen.ellipse((40, 30, 99, 69), fill=RED)
        set_ = np.asarray(picture)[..., 0] > 128
        runs = masks.to_string(masks.encode(set_))
        area = float(set_.sum())
        return np.asarray(picture), replace(
            common, kind=kind, mask_rle=runs, mask_size_hw=set_.shape, area_px=area
        )
    pen.rectangle((40, 30, 99, 69), fill=RED)
    if kind is Kind.KEYPOINTS:
        points = (70.0, 50.0, 2.0, 50.0, 40.0, 2.0, 90.0, 40.0, 1.0)
        return np.asarray(picture), replace(common, kind=kind, keypoints_xyv=points)
    if kind is Kind.CLASSIFICATION:
        return np.asarray(picture), replace(common, kind=kind, bbox_xywh_px=None, area_px=None)
    return np.asarray(picture), common


def sample_of(data: bytes, name: str, *, store: Store, split: str = "") -> Sample:
    """A sample whose bytes are stored."""
    facts, media = images.probe(data), store.media.put(data)
    return Sample(
        sample_id=uuid8("test", name),
        media_sha256=media.sha256,
        name=name,
        width_px=facts.width_px,
        height_px=facts.height_px,
        mime=facts.mime,
        n_bytes=len(data),
        split=split,
        group="scene-1",
        licence="CC-BY-4.0",
        source="cam-1",
        metadata={"light": "day"},
    )


def dataset(
    actor: Actor, store: Store, *, splits: Sequence[str] = ("", "train", "val"), name: str = "streets",
    mime: str = "image/jpeg",
) -> list[Sample]:  # fmt: skip
    """A dataset with one drawn sample for each split, each with a car box and a sign in two label sets."""
    datasets.create(actor, name, store=store)
    suffix = mime.rpartition("/")[2].replace("jpeg", "jpg")
    samples = [
        sample_of(encode(draw(at), mime), f"day/image-{at}.{suffix}", store=store, split=split)
        for at, split in enumerate(splits)
    ]
    truth = [
        Annotation(
            uuid8("ann", s.sample_id), s.sample_id, Kind.BOX, 0, (20.0, 10.0, 40.0, 30.0), area_px=1200.0
        )
        for s in samples
    ]
    model = [
        replace(a, ann_id=uuid8(a.ann_id, "model"), class_id=2, score=0.75, attributes={"far": True})
        for a in truth
    ]
    change = Change(
        put_samples=samples, put_annotations={"ground_truth": truth, "model:one": model}, ontology=ONTOLOGY
    )
    datasets.apply(actor, name, change, store=store)
    return samples

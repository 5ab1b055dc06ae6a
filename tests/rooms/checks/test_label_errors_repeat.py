"""The same images and labels get the same judgement, whatever ids an import gave them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.support.images import encode
from tests.support.things import Things

from calotype.datasets import service as datasets
from calotype.foundation.ids import uuid8

N_BOXES, N_FOUND = 120, 6
SETTING = "checks: {label-errors: {parameters: {min_probability: 0.5}}}"
SIDE_PX = 96


def picture(seed):
    """Four noisy squares: two with lines across, two with lines down, at places that lie on no border."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(120, 70, (SIDE_PX, SIDE_PX, 3))
    lines = 22 * np.sign(np.sin(np.arange(40) * 0.9))
    pixels[4:44, 4:44] += lines[:, None, None]
    pixels[52:92, 52:92] += lines[:, None, None]
    pixels[4:44, 52:92] += lines[None, :, None]
    pixels[52:92, 4:44] += lines[None, :, None]
    return encode(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))


def judged(things, ids):
    """What is found, by image and place, where ids are derived from `ids`."""
    for k in range(N_BOXES // 4):
        sample = things.image(picture(k), label=False)
        for place, (x, y) in enumerate(((4, 4), (52, 52), (52, 4), (4, 52))):
            number = 4 * k + place
            things.box(sample, (float(x), float(y), 40.0, 40.0), (place // 2 + (number % 13 == 0)) % 2)
    sample_id = {sample.sample_id: uuid8(ids, sample.name) for sample in things.samples}
    things.samples[:] = [replace(one, sample_id=sample_id[one.sample_id]) for one in things.samples]
    things.boxes[:] = [
        replace(one, sample_id=sample_id[one.sample_id], ann_id=uuid8(ids, one.ann_id))
        for one in things.boxes
    ]
    things.boxes.sort(key=lambda one: one.ann_id)
    place_of = {one.ann_id: one.bbox_xywh_px for one in things.boxes}
    found = things.only("label-errors", "embedding: hog-colour-v1\n" + SETTING).findings
    return [(one.sample, place_of[one.annotation_id], one.facts["probability"]) for one in found]


@pytest.mark.parametrize("ids", ["b", "c"])
def test_ids_do_not_matter(workspace, owner, ids):
    datasets.create(owner, "one", store=workspace)
    datasets.create(owner, "other", store=workspace)
    first = judged(Things(workspace, owner, "one"), "a")
    assert len(first) >= N_FOUND
    assert judged(Things(workspace, owner, "other"), ids) == first

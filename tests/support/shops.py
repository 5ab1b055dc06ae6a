"""A small dataset of drawn pictures in scenes, with boxes, for rooms that work on whole datasets."""

from __future__ import annotations

from pathlib import Path

from tests.support.images import folder_of_images

from calotype.acquire.model import ImageOptions
from calotype.acquire.service import add
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind
from calotype.foundation.actor import Actor
from calotype.store import Store
from calotype.vision.ontology import Ontology


def make_shop(actor: Actor, store: Store, folder: Path, *, n: int = 24) -> None:
    """Dataset `shop`: `n` pictures, four to a scene, one box each, classes car and dog by turns."""
    folder_of_images(folder, n, suffix=".png")
    datasets.create(actor, "shop", store=store)
    add(actor, "shop", [folder], ImageOptions(licence="CC0-1.0"), store=store)
    snapshot = datasets.read(actor, "shop", store=store)
    boxes = [
        Annotation(
            f"{at:032x}", sample_id, Kind.BOX, at % 2, bbox_xywh_px=(2.0, 3.0, 20.0, 10.0), area_px=200.0
        )
        for at, sample_id in enumerate(snapshot.ids())
    ]
    ontology = Ontology().add("car").add("dog")
    datasets.apply(
        actor, "shop", Change(put_annotations={"ground_truth": boxes}, ontology=ontology), store=store
    )

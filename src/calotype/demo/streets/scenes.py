"""Rendered street scenes with exact truth: the demo's images, drawn by our own code, released as CC0-1.0.

    scene = streets.render(seed=7, index=0)          # one image with its truth
    streets.write(folder, n=240, seed=7, faults=FaultPlan.for_images(240))

`write` leaves `images/*.jpg`, `instances.json` (COCO) and `planted.json` (the planted faults).
"""

from __future__ import annotations

from calotype.demo.faults import FaultPlan, Planted
from calotype.demo.streets.render import CLASSES, Scene, render
from calotype.demo.streets.truth import StreetObject
from calotype.demo.streets.write import StreetsTruth, write

__all__ = ["CLASSES", "FaultPlan", "Planted", "Scene", "StreetObject", "StreetsTruth", "render", "write"]

"""The two pipelines of the demo, written as files for users to read and change."""

from __future__ import annotations

from pathlib import Path

STREETS = """\
# Made by `calotype demo`. Run it again with `calotype run pipeline.yaml`: finished work is not repeated.
pipeline: streets
dataset: streets
stages:
  - annotate: {from: instances.json, format: coco, images: images/, source: rendered}
  - curate: {split: {train: 0.8, val: 0.1, test: 0.1}, by: scene, seed: 7}
  - augment:
      recipe: {name: mirror, seed: 7, steps: [{flip: {axis: horizontal}}, {colour: {brightness: [0.85, 1.15]}}]}
      where: light = "night"
      splits: [train]
  - curate: {select: 24, by: coverage, name: look-first, seed: 7}
  - check: {contract: contract.yaml, gate: stop}
  - commit: {message: rendered street scenes with splits and night copies}
  - release: {version: 1.0.0, formats: [coco]}
"""

STREETS_CONTRACT = """\
# What the product requires of its data. `calotype check` tests it; a release needs all gates green.
task:
  name: street-users
  intent: Detect what moves on the street, by day and by night
  owner: demo
classes: [car, truck, bus, motorcycle, bicycle, person, dog, traffic light]
gates:
  - {check: readable, max_findings: 0, severity: error}
  - {check: unknown-classes, max_findings: 0, severity: error}
  - {check: split-leakage, max_findings: 0, severity: error}
"""

DIGITS = """\
# Made by `calotype demo`. Run it again with `calotype run pipeline.yaml`: finished work is not repeated.
pipeline: digits
dataset: digits
stages:
  - annotate: {from: images/, format: folder, source: UCI optical recognition of handwritten digits, licence: CC-BY-4.0}
  - curate: {split: {train: 0.8, val: 0.1, test: 0.1}, seed: 7}
  - transform: {recipe: {name: small, steps: [{resize: {width: 32, height: 32}}]}, where: split = "test"}
  - check: {contract: contract.yaml, gate: stop}
  - commit: {message: the handwriting of 43 people}
  - release: {version: 1.0.0, formats: [folder]}
"""

DIGITS_CONTRACT = """\
# What the product requires of its data. `calotype check` tests it; a release needs all gates green.
task:
  name: digits
  intent: Read a handwritten digit
  owner: demo
classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
checks:
  letterbox: {enabled: false}
  upscaled: {enabled: false}
  image-quality: {enabled: false}   # scans of 8 x 8 pixels, enlarged: sharpness has no meaning here
gates:
  - {check: readable, max_findings: 0, severity: error}
  - {check: unknown-classes, max_findings: 0, severity: error}
  - {check: split-leakage, max_findings: 0, severity: error}
"""


def write(folder: Path, pipeline: str, contract: str) -> Path:
    """Write the files into a folder. Returns: The path of the pipeline."""
    (folder / "contract.yaml").write_text(contract, encoding="utf-8")
    (folder / "pipeline.yaml").write_text(pipeline, encoding="utf-8")
    return folder / "pipeline.yaml"

"""One step of another tool, its CPU time measured in a process of its own: `python peers.py TOOL STEP FOLDER`.

Run it with the Python of an environment that has the tool. It prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peak import peak_mb


def datumaro(step: str, folder: Path) -> Callable[[], Any]:
    """The step, with what it needs already loaded."""
    from datumaro.components.dataset import Dataset

    def load() -> Any:
        dataset = Dataset.import_from(str(folder / "coco"), "coco_instances")
        dataset.init_cache()
        return dataset

    if step == "coco-import":
        return load
    dataset = load()
    name = {"coco-export": "coco_instances", "yolo-export": "yolo", "voc-export": "voc_detection"}[step]
    return lambda: dataset.export(str(folder / f"datumaro-{step}"), name, save_media=False)


def supervision(step: str, folder: Path) -> Callable[[], Any]:
    """The step, with what it needs already loaded."""
    from supervision import DetectionDataset

    def load() -> Any:
        images, labels = folder / "coco/images", folder / "coco/annotations/instances_train.json"
        return DetectionDataset.from_coco(str(images), str(labels))

    if step == "coco-import":
        return load
    dataset, out = load(), folder / f"supervision-{step}"
    if step == "coco-export":
        return lambda: dataset.as_coco(annotations_path=f"{out}.json")
    if step == "yolo-export":
        return lambda: dataset.as_yolo(annotations_directory_path=str(out))
    if step != "voc-export":
        raise SystemExit(f"it has no {step}")
    return lambda: dataset.as_pascal_voc(annotations_directory_path=str(out))


def main() -> None:
    """Time one step."""
    tool, step, folder = sys.argv[1:]
    work = {"datumaro": datumaro, "supervision": supervision}[tool](step, Path(folder))
    start = time.process_time()
    work()
    seconds = time.process_time() - start
    print(json.dumps({"seconds": round(seconds, 2), "peak_mb": round(peak_mb())}))


if __name__ == "__main__":
    main()

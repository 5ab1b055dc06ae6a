"""Lists the stale labels among a million: counts, hours and samples, in CPU and wall seconds.

uv run python benchmarks/guidelines/stale.py [annotations]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from class_merge import N_SAMPLES, annotations, measured

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.datasets.row_ids import new_ids
from calotype.foundation.actor import Actor
from calotype.guidelines import service
from calotype.store.store import create_workspace
from calotype.vision.ontology import Ontology


def main(n: int) -> None:
    """Measure on a new workspace in a temporary folder; a third of the labels are touched."""
    owner = Actor("bench:ana", "ana")
    with tempfile.TemporaryDirectory() as folder:
        store = create_workspace(owner, Path(folder) / "workspace")
        ids = new_ids(N_SAMPLES)
        samples = [
            Sample(i, "0" * 64, f"{at}.png", 640, 480, "image/png", 1) for at, i in enumerate(ids.to_pylist())
        ]
        ontology = Ontology().add("car").add("van").add("bus")
        put = {"ground_truth": annotations(n, ids)}
        datasets.create(owner, "roads", store=store)
        datasets.apply(
            owner, "roads", Change(put_samples=samples, put_annotations=put, ontology=ontology), store=store
        )
        publish = service.publish_guideline
        publish(owner, "roads", "# Cars", touches=["car", "van.occluded"], store=store)
        stale = measured("stale", lambda: service.stale(owner, "roads", store=store))
        measured("stale samples", lambda: service.stale_samples(owner, "roads", store=store))
        print(json.dumps({"labels": stale.labels, "samples": stale.samples, "hours": stale.hours}))
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

"""Predictions of a run as columns, and as rows of a label set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.model import Kind
from calotype.datasets.row_ids import NewIds
from calotype.foundation.clock import now_us
from calotype.foundation.ids import canonical_json
from calotype.models.predictor import Predictions, Predictor
from calotype.vision.ontology import Ontology

_BATCH_ROWS = 262_144


@dataclass(frozen=True, slots=True)
class PredictedRows:
    """(N,) places of samples in the run, (N, 4) boxes, (N,) scores and places of classes."""

    sample_of: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    classes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def of(cls, parts: Sequence[tuple[int, Predictions]]) -> PredictedRows:
        """The predictions of some images, each with the place of its sample."""
        return cls.joined(
            [
                cls(np.full(len(each), place), each.boxes_xyxy_px, each.scores, each.classes)
                for place, each in parts
            ]
        )

    @classmethod
    def joined(cls, parts: Sequence[PredictedRows]) -> PredictedRows:
        """The parts under one another."""
        none = np.zeros(0, np.int64)
        return cls(
            np.concatenate([none, *(part.sample_of for part in parts)]),
            np.concatenate([np.zeros((0, 4)), *(part.boxes for part in parts)]),
            np.concatenate([np.zeros(0), *(part.scores for part in parts)]),
            np.concatenate([none, *(part.classes for part in parts)]),
        )

    def only(self, keep: npt.NDArray[np.bool_]) -> PredictedRows:
        """The rows of a mask (N,)."""
        return PredictedRows(self.sample_of[keep], self.boxes[keep], self.scores[keep], self.classes[keep])

    def counts(self, runner: Predictor) -> dict[str, int]:
        """Class -> number of rows, most frequent first; only of those that have any."""
        numbers = np.bincount(self.classes, minlength=len(runner.classes))
        order = np.argsort(-numbers, kind="stable")
        return {runner.classes[at]: int(numbers[at]) for at in order if numbers[at]}

    def batches(
        self, runner: Predictor, sample_ids: Sequence[str], ontology: Ontology, author: str
    ) -> Callable[[], Iterator[pa.RecordBatch]]:
        """Makes the rows of the schema, some at a time; called again, the same rows with the same ids."""
        ids, at_us = NewIds(), now_us()
        known = {class_.name: class_.id for class_ in ontology.classes}
        class_ids = [known.get(name, -1) for name in runner.classes]  # -1 has no row
        of_class = pa.array(class_ids, pa.int32())
        done = pa.array(sample_ids, pa.string())
        origin = {"model": runner.name, "model_sha256": runner.sha256}
        extra = canonical_json(origin | {"model_config_sha256": runner.config_sha256})
        is_box = not runner.is_classifier

        def make() -> Iterator[pa.RecordBatch]:
            for start in range(0, len(self.scores), _BATCH_ROWS):
                part = slice(start, start + _BATCH_ROWS)
                left, top, right, bottom = self.boxes[part].T
                n = len(left)
                sides = {"x": left, "y": top, "w": right - left, "h": bottom - top} if is_box else {}
                columns: dict[str, Any] = {name: pa.array(side) for name, side in sides.items()}
                if is_box:
                    columns["area_px"] = pa.array((right - left) * (bottom - top))
                columns |= {
                    "ann_id": ids.part(start, n),
                    "sample_id": done.take(pa.array(self.sample_of[part])),
                    "kind": pa.repeat(str(Kind.BOX if is_box else Kind.CLASSIFICATION), n),
                    "class_id": of_class.take(pa.array(self.classes[part])),
                    "score": pa.array(self.scores[part]),
                    "iscrowd": pa.repeat(False, n),
                    "extra": pa.repeat(extra, n),
                    "author": pa.repeat(author, n),
                    "created_at_us": pa.repeat(at_us, n),
                }
                arrays = [columns.get(f.name, pa.nulls(n, f.type)) for f in rows.ANNOTATION_SCHEMA]
                yield pa.RecordBatch.from_arrays(arrays, schema=rows.ANNOTATION_SCHEMA)

        return make

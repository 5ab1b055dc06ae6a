"""Predictions: an ONNX detector or classifier runs over a view, and what it says becomes a label set of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.annotate.predicted_rows import PredictedRows
from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.change import Change, RowStream
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import Conflict, Invalid
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.models.predictor import Predictions, Predictor, predictor
from calotype.store import Store
from calotype.store.media.combined import NOT_DECODED
from calotype.vision.framing import Framing
from calotype.vision.images import decode_reduced

VERB = "annotate.predict"
MAX_PREDICTIONS = 5_000_000
"""Annotations of one run, which are in memory until they are written as one edit: 250 MB."""
_DECODERS, _FOLDED_IMAGES = 4, 2_000
_SHOWN_CLASSES = 20
_SAMPLE_COLUMNS = ["sample_id", "media_sha256", "name", "width_px", "height_px"]


class PredictedClassesUnknown(Invalid):
    """A model gives classes that the ontology does not have."""

    code = "predicted-classes-unknown"
    what = "{model} gives {count} classes that the ontology of {dataset} does not have: {names}"
    fix = "{hint}"


class LabelSetOfPeople(Conflict):
    """Predictions would replace annotations that no model made."""

    code = "label-set-of-people"
    what = "the label set {label_set!r} of {dataset} has {count} annotations without a score, which no model made"
    fix = "write the predictions into a label set of their own, such as --as {suggested}"


class PredictionsTooMany(Invalid):
    """A run gives more annotations than one edit takes."""

    code = "predictions-too-many"
    what = "{model} gave more than {limit:,} annotations after {images:,} images; nothing was written"
    fix = "raise --min-score, lower max_detections in the description, or choose fewer samples with --where"


class PredictOptionsInvalid(Invalid):
    """An option of a run that cannot be."""

    code = "predict-options-invalid"
    what = "{option}: {detail}"
    fix = "{hint}"


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """How to predict.

    Attributes:
        label_set: Where the predictions go; empty for `model:NAME`, with the name of the model.
        config: The description of the model, a YAML file; None if the model says everything itself.
        where: Only samples that match this query.
        add_classes: Whether predicted classes that the ontology lacks are added to it.
        min_score: Instead of the description's, in [0, 1].
    """

    label_set: str = ""
    config: Path | None = None
    where: Where = None
    add_classes: bool = False
    min_score: float | None = None


@dataclass(frozen=True, slots=True)
class Predicted:
    """Result of `predict`.

    Attributes:
        replaced: Annotations that the label set had on these samples before, which are gone.
        empty: Images without a prediction.
        failed: Names of samples whose image cannot be read; what the label set had on them stays.
    """

    label_set: str
    model: str
    model_sha256: str
    config_sha256: str
    licence: str
    images: int
    annotations: int
    empty: int
    replaced: int
    by_class: Mapping[str, int]
    added_classes: tuple[str, ...]
    failed: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "by_class": dict(self.by_class),
            "added_classes": list(self.added_classes),
            "failed": list(self.failed),
        }


@verb(here="a model file is loaded from the disk of that machine")
def predict(
    actor: Actor,
    name: str,
    model: Path,
    *,
    store: Store,
    options: PredictOptions = PredictOptions(),
    progress: Progress = silent,
) -> Predicted:
    """Run a model over samples, and put what it says into a label set, as one edit: all of it, or nothing.

    What the label set had on these samples before is replaced. Each annotation has its score, and in `extra` the name
    and SHA-256 of the model. An interrupted run leaves nothing behind; repeat it.

    Args:
        name: `dataset` or `dataset@branch`.
        model: An ONNX file. docs/how-to/annotate-predict.md lists the models and the keys of a description.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, QueryInvalid, PathNotFound, OnnxRuntimeMissing,
        ModelNotRunnable, ModelDescriptionInvalid, PredictedClassesUnknown, LabelSetOfPeople, PredictionsTooMany,
        PredictOptionsInvalid.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    _check(options)
    state = datasets.read(actor, name, store=store)
    runner = predictor(model, options.config, min_score=options.min_score)
    label_set = options.label_set or f"model:{runner.name}"
    _classes_to_add(state, runner, runner.classes, options)
    samples = state.samples(where=options.where, columns=_SAMPLE_COLUMNS)
    _replaced(state, label_set, samples["sample_id"].to_pylist(), runner)
    run = _Run(runner)
    run.over(samples, store, progress)
    return run.write(actor, name, label_set, options, store=store)


def _check(options: PredictOptions) -> None:
    if options.label_set and not (len(options.label_set) <= 200 and options.label_set.isprintable()):
        hint = "give a name of 1 to 200 characters"
        raise PredictOptionsInvalid(option="--as", detail="it is not the name of a label set", hint=hint)
    if options.label_set == DEFAULT_LABEL_SET:
        detail = f"{DEFAULT_LABEL_SET} holds what people decided, and predictions would replace it"
        hint = (
            "choose another label set, such as model:NAME; accepted labels get into ground_truth by a review"
        )
        raise PredictOptionsInvalid(option="--as", detail=detail, hint=hint)
    if options.min_score is not None and not 0 <= options.min_score <= 1:
        detail = f"{options.min_score} is not a score"
        raise PredictOptionsInvalid(option="--min-score", detail=detail, hint="give a number from 0 to 1")


def _replaced(state: Snapshot, label_set: str, sample_ids: list[str], runner: Predictor) -> int:
    """How many annotations the label set has on these samples. Raises: LabelSetOfPeople."""
    if label_set not in state.label_sets:
        return 0
    table = state.annotations(label_set, sample_ids=sample_ids, columns=["score"])
    if table["score"].null_count:
        raise LabelSetOfPeople(
            label_set=label_set,
            dataset=state.dataset.name,
            count=table["score"].null_count,
            suggested=f"model:{runner.name}",
        )
    return int(table.num_rows)


def _classes_to_add(
    state: Snapshot, runner: Predictor, names: Iterable[str], options: PredictOptions
) -> tuple[str, ...]:
    """Those of the names that the ontology lacks. Raises: PredictedClassesUnknown, if none may be added."""
    missing = tuple(name for name in names if state.ontology.by_name(name) is None)
    if not missing or (options.add_classes and not state.ontology.closed):
        return missing
    hint = "add the predicted ones with --add-classes, or map or drop them: `class_map` and `others: drop` in --config"
    if state.ontology.closed:
        hint = "the ontology is closed: change its classes first, or use `class_map` and `others: drop` in --config"
    more = f" and {len(missing) - _SHOWN_CLASSES} more" if len(missing) > _SHOWN_CLASSES else ""
    raise PredictedClassesUnknown(
        model=runner.file,
        count=len(missing),
        dataset=state.dataset.name,
        names=", ".join(missing[:_SHOWN_CLASSES]) + more,
        hint=hint,
    )


@dataclass
class _Run:
    """Predictions of one run, as columns: a few bytes for each annotation."""

    runner: Predictor
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    n_rows: int = 0
    folded: list[PredictedRows] = field(default_factory=list)
    parts: list[tuple[int, Predictions]] = field(default_factory=list)

    def over(self, samples: pa.Table, store: Store, progress: Progress) -> None:
        """Predict for all samples, some at a time. Raises: PredictionsTooMany."""
        at_once, n = self.runner.prepared, samples.num_rows
        with ThreadPoolExecutor(min(_DECODERS, os.cpu_count() or 1)) as pool:
            for start in range(0, n, at_once):
                part = samples.slice(start, at_once).to_pylist()
                prepared = list(pool.map(lambda sample: self._prepared(sample, store), part))
                ready = [(sample, one) for sample, one in zip(part, prepared, strict=True) if one is not None]
                self.failed += [s["name"] for s, one in zip(part, prepared, strict=True) if one is None]
                answers = self.runner.predict([one[0] for _, one in ready], [one[1] for _, one in ready])
                for (sample, _), predictions in zip(ready, answers, strict=True):
                    self._add(sample["sample_id"], predictions)
                progress("predicting", min(n, start + at_once), n)

    def _prepared(self, sample: dict[str, Any], store: Store) -> tuple[npt.NDArray[Any], Framing] | None:
        framing = self.runner.framing((sample["width_px"], sample["height_px"]))
        try:
            pixels = decode_reduced(store.media.read(sample["media_sha256"]), min_side_px=framing.min_side_px)
        except NOT_DECODED:
            return None
        return self.runner.tensor(pixels, framing), framing

    def _add(self, sample_id: str, predictions: Predictions) -> None:
        self.n_rows += len(predictions)
        if self.n_rows > MAX_PREDICTIONS:
            raise PredictionsTooMany(model=self.runner.file, limit=MAX_PREDICTIONS, images=len(self.done))
        if len(predictions):
            self.parts.append((len(self.done), predictions))
        self.done.append(sample_id)
        if len(self.parts) >= _FOLDED_IMAGES:  # small arrays take more than what they hold
            self.folded.append(PredictedRows.of(self.parts))
            self.parts = []

    def write(
        self, actor: Actor, name: str, label_set: str, options: PredictOptions, *, store: Store
    ) -> Predicted:
        """Write everything as one edit, onto the state as it is by then: without samples that are gone."""
        columns = PredictedRows.joined([*self.folded, PredictedRows.of(self.parts)])
        details: dict[str, Any] = {
            "label_set": label_set,
            "model": self.runner.name,
            "model_sha256": self.runner.sha256,
            "config_sha256": self.runner.config_sha256,
            "licence": self.runner.licence,
        }

        def plan(state: Snapshot) -> Change:
            known = pa.array(state.ids(), pa.string())
            done = pa.array(self.done, pa.string())
            present = pc.is_in(done, value_set=known).to_numpy(zero_copy_only=False)
            kept = columns.only(present[columns.sample_of])
            ids = done.filter(pa.array(present)).to_pylist()
            counts = kept.counts(self.runner)
            new = _classes_to_add(state, self.runner, counts, options)
            details.update(
                images=len(ids),
                annotations=len(kept),
                empty=len(ids) - len(np.unique(kept.sample_of)),
                replaced=_replaced(state, label_set, ids, self.runner),
                by_class=counts,
                added_classes=list(new),
                failed=len(self.failed),
            )
            ontology = state.ontology
            for class_name in new:
                ontology = ontology.add(class_name)
            make = kept.batches(self.runner, self.done, ontology, actor.name)
            put = {label_set: RowStream(make, len(kept))} if len(kept) else {}
            changed = ontology if new else None
            return Change(put_annotations=put, remove_annotations_of={label_set: ids}, ontology=changed)

        datasets.apply(actor, name, plan, store=store, verb=VERB, details=details)
        added, failed = tuple(details["added_classes"]), tuple(self.failed)
        return Predicted(**details | {"added_classes": added, "failed": failed})

"""Runs a detector or classifier that is an ONNX file, and gives boxes in the pixels of each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.models import decoding
from calotype.models.decoding import Candidates
from calotype.models.description import Described, read_description
from calotype.models.graph import read_model
from calotype.models.input_plan import input_plan, input_shape
from calotype.models.model import ModelNotRunnable
from calotype.models.output_plan import BACKGROUND, output_plan
from calotype.models.sessions import OnnxSession
from calotype.vision.framing import Framing, Size
from calotype.vision.suppression import suppress

MIN_SCORE, MAX_IOU = 0.25, 0.5
"""What counts where the description says nothing. A classifier keeps its best classes whatever their score."""
_MANY = 0.5
"""Share of boxes that end before they begin, from which the format must be another."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says about one image, the highest score first.

    Attributes:
        boxes_xyxy_px: (N, 4) float64, pixels of the upright image, inside it; of a classifier all 0.
        scores: (N,) float64 in [0, 1].
        classes: (N,) int64 places in `Predictor.classes`.
    """

    boxes_xyxy_px: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    classes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


class Predictor:
    """A model with its description.

    Attributes:
        classes: Names of the classes of the ontology that it can give, without those that the description drops.
        name: That of the description, or of the file; `licence` is what the description says.
        sha256: Of the model and its files of weights.
        config_sha256: Of the content of the description.
    """

    def __init__(self, model: Path, described: Described, *, min_score: float | None = None) -> None:
        """Load a model and run it once on a blank image.

        Raises: PathNotFound, OnnxRuntimeMissing, ModelNotRunnable, ModelDescriptionInvalid.
        """
        file = read_model(model)
        self._described = described = replace(described, model=model.name)
        description = described.description
        self.sha256, self.config_sha256, self.file = file.sha256, described.sha256, model.name
        self.licence = description.licence
        self.name = description.name or _plain(model.stem)
        if description.sha256 not in (None, file.sha256):
            detail = f"the file has the SHA-256 {file.sha256}"
            hint = "use the file that the description was written for, or correct the key"
            raise described.problem("sha256", detail, hint)
        self._session = OnnxSession(file)
        shape = input_shape(self._session, described)
        self.at_once, first = self._first_run(shape)
        shapes = [answer.shape for answer in first]
        self._output = output_plan(self._session, shapes, described, batched=shape.batched)
        self._input = input_plan(shape, described, self._output.style, self._session)
        self.is_classifier = self._output.style == "classes"
        usual = 0.0 if self.is_classifier else MIN_SCORE
        self.min_score = next(
            score for score in (min_score, description.min_score, usual) if score is not None
        )
        suppressed = self._output.style == "end-to-end" or (
            self._output.style == "ssd" and not self._output.by_class
        )
        self._max_iou = description.iou if description.iou is not None else None if suppressed else MAX_IOU
        self._activation, self._normalised = self._output.activation, self._output.normalised
        self.classes, self._place_of = self._mapped_classes()

    @property
    def prepared(self) -> int:
        """How many images to prepare before a call of `predict`, so that memory stays bounded."""
        return self._input.shape.prepared

    def framing(self, size_wh: Size) -> Framing:
        """How an upright image of this size is scaled and placed in the input."""
        return self._input.framing(size_wh)

    def tensor(self, pixels: npt.NDArray[np.uint8], framing: Framing) -> npt.NDArray[Any]:
        """The input of one image (h, w, 3) uint8, which may be decoded smaller than it is. Thread-safe."""
        return self._input.tensor(pixels, framing)

    def predict(self, tensors: Sequence[npt.NDArray[Any]], framings: Sequence[Framing]) -> list[Predictions]:
        """What the model says about some images. Raises: ModelNotRunnable, ModelDescriptionInvalid."""
        predictions: list[Predictions] = []
        for start in range(0, len(tensors), self.at_once):
            part = tensors[start : start + self.at_once]
            candidates = self._candidates(self._run(part), framings[start : start + len(part)])
            pairs = zip(candidates, framings[start : start + len(part)], strict=True)
            predictions += [self._finished(of_image, framing) for of_image, framing in pairs]
        return predictions

    def _first_run(self, shape: Any) -> tuple[int, list[npt.NDArray[np.float32]]]:
        """Images at once, and the outputs for blank ones; a graph that takes only one at a time is fed so."""
        if shape.at_once > 1 and shape.batch is None:
            try:
                self._session.run(shape.blank(shape.at_once))
                return shape.at_once, self._session.run(shape.blank(1))
            except ModelNotRunnable:
                return 1, self._session.run(shape.blank(1))
        return shape.at_once, self._session.run(shape.blank(shape.at_once))

    def _run(self, part: Sequence[npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.float32]]:
        """Role -> output of these images, with an axis of images."""
        shape, n = self._input.shape, len(part)
        stack = np.stack(part) if shape.batched else part[0]
        if shape.batch is not None and n < shape.batch:
            stack = np.concatenate([stack, shape.blank(shape.batch - n)])
        roles = self._output.roles
        answers = self._session.run(stack, list(roles.values()))
        answers = answers if shape.batched else [answer[None] for answer in answers]
        for name, answer in zip(roles.values(), answers, strict=True):
            if len(answer) < n:
                hint = "export the model with the same first axis for its input and its outputs"
                detail = f"its output {name[:80]!r} has {len(answer)} rows for {n} images"
                raise ModelNotRunnable(file=self.file, detail=detail, hint=hint)
        return {role: answer[:n] for role, answer in zip(roles, answers, strict=True)}

    def _candidates(
        self, outputs: dict[str, npt.NDArray[np.float32]], framings: Sequence[Framing]
    ) -> list[Candidates]:
        """Candidates above the score, with corners in pixels of the input."""
        if self.is_classifier:
            return self._classified(outputs["all"])
        decoded = [self._scored(each) for each in self._decoded(outputs)]
        if self._normalised is None:
            self._normalised = decoding.all_shares([each.boxes for each in decoded])
        sizes = [framing.input_wh for framing in framings]
        return [self._cornered(each, size_wh) for each, size_wh in zip(decoded, sizes, strict=True)]

    def _decoded(self, outputs: dict[str, npt.NDArray[np.float32]]) -> list[Candidates]:
        plan = self._output
        n_classes, activation = plan.n_classes or 0, plan.activation or "none"
        if plan.style == "yolo-v8":
            return decoding.yolo_v8(outputs["all"], n_classes, activation)
        if plan.style == "yolo-v5":
            return decoding.yolo_v5(outputs["all"], n_classes, activation)
        if plan.style == "end-to-end":
            return decoding.end_to_end(outputs["all"])
        boxes = outputs["boxes"].reshape(len(outputs["boxes"]), -1, 4)
        if plan.by_class:
            return decoding.ssd_by_class(
                boxes,
                outputs["scores"],
                background=plan.background,
                activation=activation,
                min_score=self.min_score,
            )
        return decoding.ssd_listed(boxes, outputs["scores"], outputs["classes"], outputs.get("count"))

    def _classified(self, output: npt.NDArray[np.float32]) -> list[Candidates]:
        scores = output.reshape(len(output), -1).astype(np.float64)
        if self._activation is None:
            in_range = bool(((scores >= -1e-4) & (scores <= 1 + 1e-4)).all())
            if in_range and not decoding.adds_up(scores):
                hint = (
                    "write `output: {activation: none}` for independent probabilities, or sigmoid, or softmax"
                )
                detail = "the scores lie between 0 and 1 and do not add up to 1"
                raise self._described.problem("output.activation", detail, hint)
            self._activation = "none" if in_range else "softmax"
        scores = decoding.activated(scores, self._activation)
        wanted = self._numbers[self._place_of >= 0]
        scores[:, np.setdiff1d(np.arange(scores.shape[1]), wanted)] = -np.inf
        top_k = self._described.description.top_k
        return [self._scored(each) for each in decoding.top_classes(scores, top_k, self.min_score)]

    def _scored(self, candidates: Candidates) -> Candidates:
        """Those above the score. Raises: ModelDescriptionInvalid, for scores that are not shares."""
        worst = np.abs(candidates.scores - 0.5).max(initial=0)
        if not worst <= 0.5 + 1e-3:  # also NaN
            low, high = candidates.scores.min(), candidates.scores.max()
            detail = f"the model has scores from {low:.3g} to {high:.3g}, not from 0 to 1"
            hint = "write `output: {activation: sigmoid}` or softmax, if they are logits; else check `output.style`"
            raise self._described.problem("output.activation", detail, hint)
        above = candidates.above(self.min_score)
        named = np.isin(above.classes, self._numbers)
        if self._output.n_classes is not None:
            return above if named.all() else above.only(named)
        if not named.all():
            unknown = above.classes[~named].tolist()
            known = sorted(self._output.names)
            detail = f"the model gives the class {unknown[0]}; names are given for {known[0]} to {known[-1]}"
            hint = "name that class, or write `first_class: 1` if the list begins with class 1"
            raise self._described.problem("classes", detail, hint)
        return above

    def _cornered(self, candidates: Candidates, size_wh: Size) -> Candidates:
        """Candidates with corners in pixels of the input. Raises: ModelDescriptionInvalid, if they cannot be boxes."""
        written = self._output.box_format
        corners = decoding.to_corners(candidates.boxes, written)
        backwards = np.asarray((corners[:, 2:] < corners[:, :2]).any(axis=1))
        if len(backwards) and backwards.mean() > _MANY:
            detail = f"as {written}, {backwards.sum()} of {len(backwards)} boxes end before they begin"
            hint = "write another of xyxy, yxyx, cxcywh and xywh"
            raise self._described.problem("output.box_format", detail, hint)
        shares = decoding.all_shares([corners])
        if shares is False and self._normalised:
            detail = f"the boxes have values up to {np.abs(corners).max():.4g}, which are pixels"
            raise self._described.problem("output.normalised", detail, "write `normalised: false`")
        if shares is True and self._normalised is False and len(corners) > 1:
            detail = f"all {len(corners)} boxes of an image lie within 2 pixels: they are shares of the image"
            raise self._described.problem("output.normalised", detail, "write `output: {normalised: true}`")
        if self._normalised:
            corners = corners * np.tile(size_wh, 2)
        return Candidates(corners, candidates.scores, candidates.classes)

    def _finished(self, candidates: Candidates, framing: Framing) -> Predictions:
        """Suppressed, in pixels of the image, without boxes that have no area there or a class that is dropped."""
        places = self._place_of[np.searchsorted(self._numbers, candidates.classes)]
        kept = candidates.only(places >= 0)
        places, scores = places[places >= 0], np.clip(kept.scores, 0, 1)
        if self.is_classifier:  # several classes of the model may be one of the ontology
            rows = np.sort(np.unique(places, return_index=True)[1])
            return Predictions(np.zeros((len(rows), 4)), scores[rows], places[rows])
        limit = self._described.description.max_detections
        rows = suppress(kept.boxes, scores, places, max_iou=self._max_iou, limit=limit)
        boxes = framing.to_image(kept.boxes[rows])
        inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return Predictions(boxes[inside], scores[rows[inside]], places[rows[inside]])

    def _mapped_classes(self) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
        """Names of the ontology, and the place among them of each number of the model; -1 for dropped ones."""
        description, names = self._described.description, self._output.names
        for key in description.class_map:
            if key not in names.values():
                near = get_close_matches(key, names.values(), n=1, cutoff=0.4) or list(names.values())[:1]
                hint = f"write one of the model's classes, such as {near[0]!r}"
                raise self._described.problem("class_map", f"the model has no class {key!r}", hint)
        keep = description.others == "keep"
        mapped = {
            number: description.class_map.get(name, name if keep and name != BACKGROUND else None)
            for number, name in names.items()
        }
        classes = tuple(dict.fromkeys(name for name in mapped.values() if name is not None))
        if not classes:
            hint = "map at least one class to a class of the ontology, or write `others: keep`"
            raise self._described.problem("class_map", "no class of the model is left", hint)
        place_of = {name: place for place, name in enumerate(classes)}
        self._numbers = np.array(sorted(mapped), np.int64)
        places = [-1 if mapped[n] is None else place_of[str(mapped[n])] for n in sorted(mapped)]
        return classes, np.array(places, np.int64)


def _plain(stem: str) -> str:
    """A file's stem as the name of a model."""
    return "".join(c if c.isalnum() or c in "_.@+-" else "-" for c in stem)[:100] or "model"


def predictor(model: Path, config: Path | None = None, *, min_score: float | None = None) -> Predictor:
    """A detector or classifier from an ONNX file and its description (YAML).

    Args:
        model: The ONNX file.
        config: The description; None if the model says everything itself.
        min_score: Instead of the one in the description, in [0, 1].
    Raises: PathNotFound, TextFileInvalid, OnnxRuntimeMissing, ModelNotRunnable, ModelDescriptionInvalid.
    """
    return Predictor(model, read_description(config), min_score=min_score)

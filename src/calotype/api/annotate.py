"""The handle of annotation work on a dataset: `dataset.annotate`."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from calotype.annotate import predicting
from calotype.annotate.predicting import Predicted, PredictOptions
from calotype.api.labelling import Labelling
from calotype.datasets.snapshot import Where


class Annotate(Labelling):
    """Annotation work on a dataset: batches of samples to label, questions, and predictions of models."""

    def predict(
        self,
        model: str | PathLike[str],
        *,
        config: str | PathLike[str] | None = None,
        label_set: str = "",
        where: Where = None,
        min_score: float | None = None,
        add_classes: bool = False,
    ) -> Predicted:
        """Run an ONNX detector or classifier, and put what it says into a label set of its own, as one edit.

        What the label set had on these samples before is replaced. Boxes are in pixels of the upright image.

        Args:
            model: The ONNX file.
            config: The YAML file that describes the model, if the file itself does not.
            label_set: `model:NAME` of the model by default; never `ground_truth`.
            min_score: In [0, 1], instead of the description's.
            add_classes: Add predicted classes that the ontology lacks.
        Raises: ModelNotRunnable, ModelDescriptionInvalid, PredictedClassesUnknown, LabelSetOfPeople,
            PredictionsTooMany, PredictOptionsInvalid, OnnxRuntimeMissing, PathNotFound, QueryInvalid.
        """
        options = PredictOptions(
            label_set, None if config is None else Path(config), where, add_classes, min_score
        )
        return self._call(predicting.predict, Path(model), options=options, progress=self._context.progress)

"""A dataset that a test fills with drawn images and checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.images import draw, encode

from calotype.checks import service as checks
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.findings.model import CheckReport, Finding, Gate
from calotype.foundation.actor import Actor
from calotype.foundation.ids import uuid8
from calotype.store import Store
from calotype.vision import images


@dataclass
class Things:
    """A dataset under test: collects samples and boxes; `check` writes them and runs the checks."""

    store: Store
    actor: Actor
    name: str = "things"
    samples: list[Sample] = field(default_factory=list)
    boxes: list[Annotation] = field(default_factory=list)
    predicted: list[Annotation] = field(default_factory=list)

    def image(self, data: bytes | None = None, *, name: str = "", label: bool = True, **given: Any) -> Sample:
        """Add a sample with an image of its own (or these bytes), and a valid box unless `label` is False."""
        number = len(self.samples)
        data = data if data is not None else encode(draw(number * 7 + 1))
        facts = images.probe(data)
        put = self.store.media.put(data)
        name = name or f"{number:03d}.jpg"
        given = {"licence": "CC0-1.0", "names": (name,), **given}
        sample = Sample(
            uuid8("s", name),
            put.sha256,
            name,
            facts.width_px,
            facts.height_px,
            facts.mime,
            put.n_bytes,
            **given,
        )
        self.samples.append(sample)
        if label:
            self.box(sample, (5.0, 5.0, 20.0, 20.0))
        return sample

    def box(
        self, sample: Sample, xywh: tuple[float, float, float, float], class_id: int = 0, **given: Any
    ) -> Annotation:
        """Add an annotation to a sample."""
        number = len(self.boxes)
        given = {"kind": Kind.BOX, **given}
        annotation = Annotation(
            ann_id=uuid8("a", str(number)),
            sample_id=sample.sample_id,
            class_id=class_id,
            bbox_xywh_px=xywh,
            **given,
        )
        self.boxes.append(annotation)
        return annotation

    def predict(
        self,
        sample: Sample,
        xywh: tuple[float, float, float, float] | None,
        class_id: int = 0,
        score: float = 0.9,
        **given: Any,
    ) -> Annotation:
        """Add a prediction of the model `x`: a box, or a class of the whole image if `xywh` is None."""
        given = {"kind": Kind.BOX if xywh else Kind.CLASSIFICATION, "bbox_xywh_px": xywh, **given}
        ann_id = uuid8("p", str(len(self.predicted)))
        annotation = Annotation(ann_id, sample.sample_id, class_id=class_id, score=score, **given)
        self.predicted.append(annotation)
        return annotation

    def write(self) -> None:
        """Write everything to the working state."""
        ontology = datasets.read(self.actor, self.name, store=self.store).ontology
        for name in ("car", "dog"):
            ontology = ontology if ontology.by_name(name) else ontology.add(name)
        annotations = {"ground_truth": self.boxes}
        if self.predicted:
            annotations["model:x"] = self.predicted
        change = Change(put_samples=self.samples, put_annotations=annotations, ontology=ontology)
        datasets.apply(self.actor, self.name, change, store=self.store)

    def check(self, contract: str | None = None) -> CheckReport:
        """Write everything and run all checks."""
        self.write()
        return checks.check(self.actor, self.name, store=self.store, contract_text=contract)

    def only(self, check: str, contract: str | None = None) -> CheckReport:
        """Write everything and run one check."""
        self.write()
        return checks.check(
            self.actor, self.name, store=self.store, contract_text=contract, only=[check], whole=True
        )

    def found(self, check: str, contract: str | None = None) -> list[Finding]:
        """Findings of one check."""
        return [finding for finding in self.check(contract).findings if finding.check == check]


def gate(report: CheckReport, name: str) -> Gate:
    """The gate of this name."""
    return next(gate for gate in report.gates if gate.name == name)

"""The contract: what a prediction task asks of its dataset, written down before there is data.

A YAML file that a team keeps beside its code. What it declares is tested: each class, metadata field,
coverage line and minimum becomes a gate; `gates` adds checks that block. Reading is in `contract_text`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, ValidationInfo, field_validator, model_validator
from pydantic_core import CoreSchema

from calotype.contracts.known import ANY, PLUG_IN_NAME, KnownChecks, problem_with
from calotype.contracts.parts import (
    Combinations,
    Count,
    CoverageOfClass,
    DataTests,
    Freshness,
    Gold,
    Guideline,
    Name,
    Objective,
    Part,
    Privacy,
    Reference,
    Text,
    Waiver,
    checked_query,
    wrong,
)
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.ids import sha256_json

_CHECK_NAME = "check-name"
Severity = Literal["error", "warning", "info"]
CheckName = Annotated[str, Field(json_schema_extra={"format": _CHECK_NAME})]
Scalar = Annotated[bool | int | float | str, Field(union_mode="smart")]


def _known_check(name: str, info: ValidationInfo) -> str:
    """A check that the application knows, or one of a plug-in. Raises: PydanticCustomError."""
    known: KnownChecks = (info.context or {}).get("checks", ANY)
    problem = problem_with(name, known)
    if problem:
        raise wrong(problem)
    return name


class Task(Part):
    """The prediction task that the dataset serves."""

    name: Name = Field(default="unnamed", description="Short name of the task")
    kind: Literal["classification", "detection", "segmentation", "keypoints", "tracking"] | None = Field(
        default=None, description="What is predicted; decides what counts as unlabelled"
    )
    intent: Text = Field(default="", description="What the product wants to know, and under which conditions")
    owner: Text = Field(default="", description="Who answers for the dataset")
    product: Text = Field(default="", description="The product that uses the prediction")


class ClassSpec(Part):
    """A class and how much of it there has to be; a bare name asks for one annotation."""

    name: Name
    description: Text = Field(default="", description="What belongs to the class and what does not")
    min_annotations: Count = Field(default=1, description="Fewest annotations of the class in the label set")
    min_samples: Count = Field(default=0, description="Fewest samples that carry the class")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler.resolve_ref_schema(handler(core))]}


class MetadataSpec(Part):
    """A metadata field that samples have to carry."""

    type: Literal["str", "int", "float", "bool"] = "str"
    required: bool = Field(default=True, description="Whether each sample needs a value")
    values: tuple[Scalar, ...] | None = Field(default=None, description="Allowed values; absent: any")
    min: float | None = Field(default=None, description="Smallest allowed number")
    max: float | None = Field(default=None, description="Largest allowed number")
    operating: bool = Field(
        default=False, description="An operating condition: its values are combined in `combinations`"
    )
    description: Text = ""

    @model_validator(mode="after")
    def _check_range(self) -> MetadataSpec:
        if self.type in ("str", "bool") and (self.min is not None or self.max is not None):
            raise wrong(f"min and max do not fit a field of type {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise wrong(f"min {self.min:g} is larger than max {self.max:g}")
        return self


class Coverage(Part):
    """A condition that the dataset has to cover: by samples, by annotations of classes, or both."""

    where: Name | None = Field(
        default=None, description='Query over samples, e.g. light = "night" and count(person) >= 1'
    )
    slice: Name | None = Field(default=None, description="A query by its name in `slices`")
    min_samples: Annotated[int, Field(ge=1, strict=True)] | None = None
    classes: dict[Name, CoverageOfClass] = Field(
        default_factory=dict, description="Class -> fewest annotations under the condition"
    )
    name: Text = Field(default="", description="What to call it; the query when absent")

    @field_validator("where")
    @classmethod
    def _check_query(cls, text: str | None) -> str | None:
        return None if text is None else checked_query(text)

    @model_validator(mode="after")
    def _check_whole(self) -> Coverage:
        if (self.where is None) == (self.slice is None):
            raise wrong("a coverage line has either `where` or `slice`")
        if self.min_samples is None and not self.classes:
            raise wrong("a coverage line needs `min_samples` or `classes`")
        return self

    @property
    def title(self) -> str:
        """Its name, or its query."""
        return self.name or self.slice or str(self.where)


class Samples(Part):
    """How many samples there have to be."""

    min: Annotated[int, Field(ge=0, strict=True)] = 1


class CheckSpec(Part):
    """How one check runs."""

    enabled: bool = True
    severity: Severity | None = Field(
        default=None, description="Severity of its findings; absent: the check's own"
    )
    parameters: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="Thresholds; `docs/how-to/checks-configure.md` lists them"
    )


class GateSpec(Part):
    """A check or a figure that blocks a release."""

    check: CheckName | None = Field(default=None, description="Block when this check finds more than allowed")
    max_findings: Count | None = Field(default=None, description="Findings allowed; 0 when nothing is said")
    max_fraction: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Share of what the check looked at that may have a finding"
    )
    severity: Severity = Field(default="info", description="Count findings of this severity and worse")
    metric: Literal["samples", "annotations", "labelled-fraction"] | None = Field(
        default=None, description="Block when this figure is smaller than `min`"
    )
    min: Annotated[float, Field(ge=0)] | None = None
    blocks: tuple[Literal["merge", "release"], ...] = Field(
        default=("merge", "release"), description="Where it blocks; everywhere it is shown"
    )
    scope: Literal["all", "new"] = Field(
        default="all", description="new: count only findings that the protected branch has not"
    )

    @model_validator(mode="after")
    def _check_one(self) -> GateSpec:
        if (self.check is None) == (self.metric is None):
            raise wrong("a gate names either a check or a metric")
        if self.metric is not None and self.min is None:
            raise wrong("a metric needs `min`")
        if self.check is not None and self.min is not None:
            raise wrong("`min` belongs to a metric; a check has max_findings or max_fraction")
        if self.max_findings is not None and self.max_fraction is not None:
            raise wrong("give max_findings or max_fraction, not both")
        return self

    @field_validator("check")
    @classmethod
    def _check_known(cls, name: str | None, info: ValidationInfo) -> str | None:
        return None if name is None else _known_check(name, info)


DEFAULT_GATES = (
    GateSpec(check="readable", severity="error"),
    GateSpec(check="unknown-classes", severity="error"),
    GateSpec(check="split-leakage", severity="error"),
)
"""Unreadable media, unknown classes and leakage block; degenerate boxes, licences and balance are told."""


class Contract(Part):
    """What a dataset promises to its prediction task."""

    version: Literal["1", 1] = Field(default="1", description="Version of this format")
    task: Task = Task()
    ontology_version: Annotated[str, Field(max_length=100, coerce_numbers_to_str=True)] = Field(
        default="", description="Version of the classes, as your team counts it"
    )
    label_set: Name = Field(default=DEFAULT_LABEL_SET, description="The label set that is tested")
    classes: tuple[ClassSpec, ...] = Field(
        default=(), description="The classes; when given, imports add none"
    )
    samples: Samples = Samples()
    metadata: dict[Name, MetadataSpec] = Field(default_factory=dict, description="Field -> what it holds")
    licences: tuple[Name, ...] = Field(
        default=(), description="Allowed licences; absent: any, and none is only told"
    )
    slices: dict[Name, Name] = Field(default_factory=dict, description="Name -> query over samples")
    coverage: tuple[Coverage, ...] = ()
    combinations: Combinations | None = None
    checks: dict[CheckName, CheckSpec] = Field(default_factory=dict, description="Check name -> how it runs")
    gates: tuple[GateSpec, ...] = Field(
        default=DEFAULT_GATES, description="Checks and figures that block a release"
    )
    waivers: tuple[Waiver, ...] = ()
    objectives: tuple[Objective, ...] = ()
    privacy: Privacy = Privacy()
    purposes: tuple[Name, ...] = Field(
        default=(), description="What the data may be used for; when given, each release names one"
    )
    freshness: Freshness | None = None
    gold: Gold | None = None
    guideline: Guideline | None = None
    reference: Reference | None = None
    predictions: Text = Field(
        default="", description="Label set of a model, such as model:yolo-3, to judge labels by"
    )
    embedding: Text = Field(
        default="default", description="Embedder that looks for wrong labels, outliers and drift"
    )
    data_tests: DataTests | None = None

    @field_validator("classes")
    @classmethod
    def _check_names(cls, classes: tuple[ClassSpec, ...]) -> tuple[ClassSpec, ...]:
        names = [spec.name for spec in classes]
        twice = (
            sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        )
        if twice:
            raise wrong(f"class {twice[0]!r} is listed twice")
        return classes

    @field_validator("checks")
    @classmethod
    def _check_checks(cls, checks: dict[str, CheckSpec], info: ValidationInfo) -> dict[str, CheckSpec]:
        for name in checks:
            _known_check(name, info)
        return checks

    @field_validator("slices")
    @classmethod
    def _check_slices(cls, slices: dict[str, str]) -> dict[str, str]:
        for text in slices.values():
            checked_query(text)
        return slices

    @model_validator(mode="after")
    def _check_references(self, info: ValidationInfo) -> Contract:
        named = set(self.class_names)
        for line in self.coverage:
            if line.slice is not None and line.slice not in self.slices:
                raise wrong(f"coverage names the slice {line.slice!r}, which is not one of `slices`")
            unknown = sorted(set(line.classes) - named) if named else []
            if unknown:
                raise wrong(f"coverage names the class {unknown[0]!r}, which is not one of `classes`")
        for field in self.combinations.fields if self.combinations else ():
            if field not in self.metadata:
                raise wrong(f"combinations names the field {field!r}, which is not one of `metadata`")
        for waiver in self.waivers:
            _known_check(waiver.check, info)
        return self

    def query_of(self, line: Coverage) -> str:
        """The query of a coverage line."""
        return self.slices[line.slice] if line.slice is not None else str(line.where)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The fields whose values are combined."""
        chosen = self.combinations.fields if self.combinations else ()
        return chosen or tuple(name for name, spec in self.metadata.items() if spec.operating)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of the file."""
        return tuple(spec.name for spec in self.classes)

    @property
    def sha256(self) -> str:
        """A hash of the meaning: two files that ask the same have the same one."""
        return sha256_json(self.model_dump(mode="json"))


DEFAULT = Contract()
"""In force where a dataset has no contract."""


def json_schema(checks: KnownChecks) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a contract file that may name these checks and those of plug-ins."""
    schema = _with_check_names(Contract.model_json_schema(), list(checks))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Calotype contract"}


def _with_check_names(node: Any, names: list[str]) -> Any:
    """The schema with the names of checks where it has the mark of one."""
    if isinstance(node, list):
        return [_with_check_names(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    walked = {key: _with_check_names(value, names) for key, value in node.items()}
    if walked.get("format") == _CHECK_NAME:
        del walked["format"]
        walked["anyOf"] = [{"enum": names}, {"pattern": PLUG_IN_NAME}]
    return walked

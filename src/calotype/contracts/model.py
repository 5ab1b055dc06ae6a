"""The contract: the written requirements of a prediction task for its dataset.

A YAML file that a team keeps with its code. Each declared class, metadata field, coverage rule and minimum becomes a
gate; `gates` adds checks that block. `contracts.text` parses it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, ValidationInfo, field_validator, model_validator
from pydantic_core import CoreSchema

from calotype.contracts.known import ANY, PLUG_IN_NAME, KnownChecks, problem_with
from calotype.contracts.sections import (
    Combinations,
    Count,
    CoverageOfClass,
    DataTests,
    Freshness,
    Gold,
    Guideline,
    Name,
    Objective,
    Privacy,
    Reference,
    Section,
    Text,
    Waiver,
    contract_error,
    valid_query,
)
from calotype.datasets.fields import TYPES
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.ids import sha256_json

_CHECK_NAME = "check-name"
Severity = Literal["error", "warning", "info"]
CheckName = Annotated[str, Field(json_schema_extra={"format": _CHECK_NAME})]
Scalar = Annotated[bool | int | float | str, Field(union_mode="smart")]


def _known_check(name: str, info: ValidationInfo) -> str:
    """Check that the name is that of a known check or of a plug-in check. Raises: PydanticCustomError."""
    known: KnownChecks = (info.context or {}).get("checks", ANY)
    problem = problem_with(name, known)
    if problem:
        raise contract_error(problem)
    return name


class Task(Section):
    """The prediction task that the dataset serves."""

    name: Name = Field(default="unnamed", description="Short name of the task")
    kind: Literal["classification", "detection", "segmentation", "keypoints", "tracking"] | None = Field(
        default=None, description="Kind of prediction; decides which samples count as unlabelled"
    )
    intent: Text = Field(default="", description="What the product needs to know, and under which conditions")
    owner: Text = Field(default="", description="Person or team responsible for the dataset")
    product: Text = Field(default="", description="The product that uses the prediction")


class ClassSpec(Section):
    """A class and its minimum numbers. A plain name requires one annotation."""

    name: Name
    description: Text = Field(default="", description="What the class includes and excludes")
    min_annotations: Count = Field(
        default=1, description="Minimum number of annotations of the class in the label set"
    )
    min_samples: Count = Field(default=0, description="Minimum number of samples with the class")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler.resolve_ref_schema(handler(core))]}


class MetadataSpec(Section):
    """A metadata field of the samples."""

    type: Literal["str", "int", "float", "bool"] = "str"
    required: bool = Field(default=True, description="Whether every sample must have a value")
    values: tuple[Scalar, ...] | None = Field(default=None, description="Allowed values; by default any")
    min: float | None = Field(default=None, description="Minimum value")
    max: float | None = Field(default=None, description="Maximum value")
    operating: bool = Field(
        default=False,
        description="Whether this is an operating condition, whose values are combined in `combinations`",
    )
    description: Text = ""

    @model_validator(mode="after")
    def _check_range(self) -> MetadataSpec:
        if self.type in ("str", "bool") and (self.min is not None or self.max is not None):
            raise contract_error(f"min and max are not allowed for a field of type {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise contract_error(f"min {self.min:g} is larger than max {self.max:g}")
        return self

    def problem_of(self, value: Any) -> str:
        """What is wrong with a value of the field, such as `is 'dusk', allowed are 'day'`; empty if nothing is."""
        given = TYPES.get(type(value), type(value).__name__)
        if given != self.type and not (self.type == "float" and given == "int"):
            return f"is {given}, the contract requires {self.type}"
        if self.values is not None and value not in self.values:
            return f"is {value!r}, allowed are {', '.join(map(repr, self.values[:20]))}"
        if self.min is not None and value < self.min:
            return f"is {value:g}, the smallest allowed is {self.min:g}"
        if self.max is not None and value > self.max:
            return f"is {value:g}, the largest allowed is {self.max:g}"
        return ""


class Coverage(Section):
    """A condition that the dataset must cover, with minimum numbers of samples, of annotations by class, or both."""

    where: Name | None = Field(
        default=None, description='Query over samples, e.g. light = "night" and count(person) >= 1'
    )
    slice: Name | None = Field(default=None, description="Name of a query in `slices`")
    min_samples: Annotated[int, Field(ge=1, strict=True)] | None = None
    classes: dict[Name, CoverageOfClass] = Field(
        default_factory=dict, description="Class -> minimum number of annotations under the condition"
    )
    name: Text = Field(default="", description="Display name; by default the query")

    @field_validator("where")
    @classmethod
    def _check_query(cls, text: str | None) -> str | None:
        return None if text is None else valid_query(text)

    @model_validator(mode="after")
    def _check_complete(self) -> Coverage:
        if (self.where is None) == (self.slice is None):
            raise contract_error("a coverage rule needs either `where` or `slice`")
        if self.min_samples is None and not self.classes:
            raise contract_error("a coverage rule needs `min_samples` or `classes`")
        return self

    @property
    def title(self) -> str:
        """The name of the rule, or its query."""
        return self.name or self.slice or str(self.where)


class Samples(Section):
    """Minimum number of samples."""

    min: Annotated[int, Field(ge=0, strict=True)] = 1


class CheckSpec(Section):
    """Configuration of one check."""

    enabled: bool = True
    severity: Severity | None = Field(
        default=None, description="Severity of its findings; by default that of the check"
    )
    parameters: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="Thresholds; `docs/how-to/checks-configure.md` lists them"
    )


class GateSpec(Section):
    """A check or a metric that blocks a release or a merge."""

    check: CheckName | None = Field(
        default=None, description="Block if this check has more findings than allowed"
    )
    max_findings: Count | None = Field(default=None, description="Maximum number of findings; by default 0")
    max_fraction: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Maximum share of checked objects with a finding"
    )
    severity: Severity = Field(default="info", description="Count findings of this severity or higher")
    metric: Literal["samples", "annotations", "labelled-fraction"] | None = Field(
        default=None, description="Block if this metric is below `min`"
    )
    min: Annotated[float, Field(ge=0)] | None = None
    blocks: tuple[Literal["merge", "release"], ...] = Field(
        default=("merge", "release"), description="What it blocks; it is always shown"
    )
    scope: Literal["all", "new"] = Field(
        default="all", description="new: count only findings that the protected branch does not have"
    )

    @model_validator(mode="after")
    def _check_target(self) -> GateSpec:
        if (self.check is None) == (self.metric is None):
            raise contract_error("a gate needs either a check or a metric")
        if self.metric is not None and self.min is None:
            raise contract_error("a metric needs `min`")
        if self.check is not None and self.min is not None:
            raise contract_error("`min` applies to a metric; use max_findings or max_fraction for a check")
        if self.max_findings is not None and self.max_fraction is not None:
            raise contract_error("use max_findings or max_fraction, not both")
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
"""Unreadable media, unknown classes and split leakage block; other findings are only reported."""


class Contract(Section):
    """The requirements of a prediction task for its dataset."""

    version: Literal["1", 1] = Field(default="1", description="Version of the contract format")
    task: Task = Task()
    ontology_version: Annotated[str, Field(max_length=100, coerce_numbers_to_str=True)] = Field(
        default="", description="Version of the classes, as numbered by the team"
    )
    label_set: Name = Field(default=DEFAULT_LABEL_SET, description="The label set that is tested")
    classes: tuple[ClassSpec, ...] = Field(
        default=(), description="The classes; if given, imports cannot add others"
    )
    samples: Samples = Samples()
    metadata: dict[Name, MetadataSpec] = Field(
        default_factory=dict, description="Field -> its type and allowed values"
    )
    licences: tuple[Name, ...] = Field(
        default=(), description="Allowed licences; by default any, and a missing licence is only reported"
    )
    slices: dict[Name, Name] = Field(default_factory=dict, description="Name -> query over samples")
    coverage: tuple[Coverage, ...] = ()
    combinations: Combinations | None = None
    checks: dict[CheckName, CheckSpec] = Field(default_factory=dict, description="Check -> its configuration")
    gates: tuple[GateSpec, ...] = Field(
        default=DEFAULT_GATES, description="Checks and metrics that block a release or a merge"
    )
    waivers: tuple[Waiver, ...] = ()
    objectives: tuple[Objective, ...] = ()
    privacy: Privacy = Privacy()
    purposes: tuple[Name, ...] = Field(
        default=(), description="Allowed uses of the data; if given, each release must name one"
    )
    freshness: Freshness | None = None
    gold: Gold | None = None
    guideline: Guideline | None = None
    reference: Reference | None = None
    predictions: Text = Field(
        default="", description="Label set of a model, such as model:yolo-3, that labels are compared with"
    )
    embedding: Text = Field(
        default="default", description="Embedding model used to find wrong labels, outliers and drift"
    )
    data_tests: DataTests | None = None

    @field_validator("classes")
    @classmethod
    def _check_names(cls, classes: tuple[ClassSpec, ...]) -> tuple[ClassSpec, ...]:
        names = [spec.name for spec in classes]
        duplicates = (
            sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        )
        if duplicates:
            raise contract_error(f"class {duplicates[0]!r} is listed twice")
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
            valid_query(text)
        return slices

    @model_validator(mode="after")
    def _check_references(self, info: ValidationInfo) -> Contract:
        known_classes = set(self.class_names)
        for line in self.coverage:
            if line.slice is not None and line.slice not in self.slices:
                raise contract_error(f"coverage uses slice {line.slice!r}, which is not in `slices`")
            unknown = sorted(set(line.classes) - known_classes) if known_classes else []
            if unknown:
                raise contract_error(f"coverage uses class {unknown[0]!r}, which is not in `classes`")
        for field in self.combinations.fields if self.combinations else ():
            if field not in self.metadata:
                raise contract_error(f"combinations uses field {field!r}, which is not in `metadata`")
        for waiver in self.waivers:
            _known_check(waiver.check, info)
        return self

    def query_of(self, line: Coverage) -> str:
        """The query of a coverage rule."""
        return self.slices[line.slice] if line.slice is not None else str(line.where)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The operating conditions whose values are combined."""
        fields = self.combinations.fields if self.combinations else ()
        return fields or tuple(name for name, spec in self.metadata.items() if spec.operating)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in the order of the file."""
        return tuple(spec.name for spec in self.classes)

    @property
    def sha256(self) -> str:
        """A hash of the meaning: files with the same requirements have the same hash."""
        return sha256_json(self.model_dump(mode="json"))


DEFAULT = Contract()
"""The contract of a dataset that has none of its own."""


def json_schema(checks: KnownChecks) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of contract files; it accepts these checks and plug-in checks."""
    schema = _with_check_names(Contract.model_json_schema(), list(checks))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Calotype contract"}


def _with_check_names(node: Any, names: list[str]) -> Any:
    """The schema with the names of checks in all places marked as the name of a check."""
    if isinstance(node, list):
        return [_with_check_names(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    replaced = {key: _with_check_names(value, names) for key, value in node.items()}
    if replaced.get("format") == _CHECK_NAME:
        del replaced["format"]
        replaced["anyOf"] = [{"enum": names}, {"pattern": PLUG_IN_NAME}]
    return replaced

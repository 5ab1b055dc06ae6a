"""The contract: what a prediction task asks of its dataset, written down before there is data.

A YAML file that a team keeps beside its code. What it declares is tested: each class, metadata field,
coverage line and minimum becomes a gate; `gates` adds checks that block. Reading is in `contract_text`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from calotype.datasets import query
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.ids import sha256_json

CHECK_NAMES = (
    "readable", "dimensions", "exact-duplicates", "near-duplicates", "box-bounds", "degenerate-shapes",
    "duplicate-annotations", "unknown-classes", "class-balance", "unlabelled", "split-leakage", "licence",
    "metadata", "coverage", "image-quality", "conflicting-boxes", "nested-boxes",
    "invalid-polygons", "shape-mismatch", "mask-islands", "keypoints", "track-jumps", "box-outliers",
)  # fmt: skip
"""Checks that a contract may name; the room `checks` holds one of each."""

Severity = Literal["error", "warning", "info"]
CheckName = Annotated[str, Field(json_schema_extra={"enum": list(CHECK_NAMES)})]
Text = Annotated[str, Field(max_length=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=500)]
Count = Annotated[int, Field(ge=0, strict=True)]
Scalar = Annotated[bool | int | float | str, Field(union_mode="smart")]


def _wrong(detail: str) -> PydanticCustomError:
    return PydanticCustomError("contract", "{detail}", {"detail": detail})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Task(_Part):
    """The prediction task that the dataset serves."""

    name: Name = Field(default="unnamed", description="Short name of the task")
    kind: Literal["classification", "detection", "segmentation", "keypoints"] | None = Field(
        default=None, description="What is predicted; decides what counts as unlabelled"
    )
    intent: Text = Field(default="", description="What the product wants to know, and under which conditions")
    owner: Text = Field(default="", description="Who answers for the dataset")


class ClassSpec(_Part):
    """A class and how much of it there has to be; a bare name asks for one annotation."""

    name: Name
    min_annotations: Count = Field(default=1, description="Fewest annotations of the class in the label set")
    min_samples: Count = Field(default=0, description="Fewest samples that carry the class")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler.resolve_ref_schema(handler(core))]}


class MetadataSpec(_Part):
    """A metadata field that samples have to carry."""

    type: Literal["str", "int", "float", "bool"] = "str"
    required: bool = Field(default=True, description="Whether each sample needs a value")
    values: tuple[Scalar, ...] | None = Field(default=None, description="Allowed values; absent: any")
    min: float | None = Field(default=None, description="Smallest allowed number")
    max: float | None = Field(default=None, description="Largest allowed number")

    @model_validator(mode="after")
    def _check_range(self) -> MetadataSpec:
        if self.type in ("str", "bool") and (self.min is not None or self.max is not None):
            raise _wrong(f"min and max do not fit a field of type {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise _wrong(f"min {self.min:g} is larger than max {self.max:g}")
        return self


class Coverage(_Part):
    """A condition that the dataset has to cover."""

    where: Name = Field(description='Query over samples, e.g. light = "night" and count(person) >= 1')
    min_samples: Annotated[int, Field(ge=1, strict=True)]
    name: Text = Field(default="", description="What to call it; the query when absent")

    @field_validator("where")
    @classmethod
    def _check_query(cls, text: str) -> str:
        try:
            query.parse(text)
        except query.QueryInvalid as error:
            raise _wrong(f"{error.message} ({error.where})") from None
        return text

    @property
    def title(self) -> str:
        """Its name, or its query."""
        return self.name or self.where


class Samples(_Part):
    """How many samples there have to be."""

    min: Annotated[int, Field(ge=0, strict=True)] = 1


class CheckSpec(_Part):
    """How one check runs."""

    enabled: bool = True
    severity: Severity | None = Field(
        default=None, description="Severity of its findings; absent: the check's own"
    )
    parameters: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="Thresholds; `docs/how-to/checks-configure.md` lists them"
    )


class GateSpec(_Part):
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

    @model_validator(mode="after")
    def _check_one(self) -> GateSpec:
        if (self.check is None) == (self.metric is None):
            raise _wrong("a gate names either a check or a metric")
        if self.metric is not None and self.min is None:
            raise _wrong("a metric needs `min`")
        if self.check is not None and self.min is not None:
            raise _wrong("`min` belongs to a metric; a check has max_findings or max_fraction")
        if self.max_findings is not None and self.max_fraction is not None:
            raise _wrong("give max_findings or max_fraction, not both")
        return self

    @field_validator("check")
    @classmethod
    def _check_known(cls, name: str | None) -> str | None:
        if name is not None and name not in CHECK_NAMES:
            raise _wrong(f"no check named {name!r}; known: {', '.join(CHECK_NAMES)}")
        return name


DEFAULT_GATES = (
    GateSpec(check="readable", severity="error"),
    GateSpec(check="unknown-classes", severity="error"),
    GateSpec(check="split-leakage", severity="error"),
)
"""Unreadable media, unknown classes and leakage block; degenerate boxes, licences and balance are told."""


class Contract(_Part):
    """What a dataset promises to its prediction task."""

    task: Task = Task()
    label_set: Name = Field(default=DEFAULT_LABEL_SET, description="The label set that is tested")
    classes: tuple[ClassSpec, ...] = Field(
        default=(), description="The classes; when given, imports add none"
    )
    samples: Samples = Samples()
    metadata: dict[Name, MetadataSpec] = Field(default_factory=dict, description="Field -> what it holds")
    licences: tuple[Name, ...] = Field(
        default=(), description="Allowed licences; absent: any, and none is only told"
    )
    coverage: tuple[Coverage, ...] = ()
    checks: dict[CheckName, CheckSpec] = Field(default_factory=dict, description="Check name -> how it runs")
    gates: tuple[GateSpec, ...] = Field(
        default=DEFAULT_GATES, description="Checks and figures that block a release"
    )

    @field_validator("classes")
    @classmethod
    def _check_names(cls, classes: tuple[ClassSpec, ...]) -> tuple[ClassSpec, ...]:
        names = [spec.name for spec in classes]
        twice = (
            sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        )
        if twice:
            raise _wrong(f"class {twice[0]!r} is listed twice")
        return classes

    @field_validator("checks")
    @classmethod
    def _check_checks(cls, checks: dict[str, CheckSpec]) -> dict[str, CheckSpec]:
        unknown = sorted(set(checks) - set(CHECK_NAMES))
        if unknown:
            raise _wrong(f"no check named {unknown[0]!r}; known: {', '.join(CHECK_NAMES)}")
        return checks

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


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a contract file."""
    schema = Contract.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Calotype contract"}

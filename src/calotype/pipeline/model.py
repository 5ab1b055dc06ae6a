"""A pipeline: a name, a dataset and its stages. Read from YAML (see `text`) or built in Python.

Pipeline(name="streets", dataset="streets", stages=(Acquire(path="images"), Check(), Release(version="1.0.0")))
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializeAsAny,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from calotype.datasets import query
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.ids import sha256_json
from calotype.release.model import check_version
from calotype.transform import recipe

Text = Annotated[str, Field(max_length=10_000)]


def _query(text: str | None) -> str | None:
    if text is not None:
        query.parse(text)
    return text


def _recipe(value: Mapping[str, JsonValue] | None) -> Mapping[str, JsonValue] | None:
    if value is not None:
        recipe.parse(value)
    return value


def _version(text: str) -> str:
    check_version(text)
    return text


Where = Annotated[
    str | None,
    Field(max_length=10_000, description="Only samples that match this query"),
    AfterValidator(_query),
]
Policy = Literal["error", "skip", "quarantine"]
MAX_STAGES = 100


def _path(description: str) -> Any:
    choices = AliasChoices("from", "path")
    return Field(min_length=1, max_length=4_096, validation_alias=choices, description=description)


def _error(detail: str) -> PydanticCustomError:
    return PydanticCustomError("pipeline", "{detail}", {"detail": detail})


class Stage(BaseModel):
    """Base of all stages. Raise `code_version` when a stage starts to do something else on the same input."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: ClassVar[str]
    code_version: ClassVar[int] = 1

    @property
    def sha256(self) -> str:
        """Hash over kind, code version and parameters. Equal hashes mean the same work on the same input."""
        return sha256_json(
            {"kind": self.kind, "version": self.code_version, "with": self.model_dump(mode="json")}
        )


class Acquire(Stage):
    """Add the images of a folder or file."""

    kind: ClassVar[str] = "acquire"
    path: str = _path("A folder of images, or one image; relative to the pipeline's file")
    source: Text = Field(default="", description="Where the images come from, such as a camera")
    licence: Text = Field(default="", description="SPDX identifier or name of the licence")
    tags: tuple[str, ...] = Field(default=(), max_length=100)
    on_invalid: Policy = Field(
        default="quarantine", description="What to do with files that are not complete images"
    )


class Annotate(Stage):
    """Import a label file and the images that it lists."""

    kind: ClassVar[str] = "annotate"
    path: str = _path("A label file, or a folder of them; relative to the pipeline's file")
    format: str = Field(default="auto", max_length=40)
    images: str | None = Field(default=None, max_length=4_096, description="Folder of the images")
    label_set: Text = DEFAULT_LABEL_SET
    on_unknown: Policy = Field(
        default="error", description="What to do with classes that a closed ontology lacks"
    )
    on_invalid: Policy = Field(
        default="quarantine", description="What to do with invalid items and missing files"
    )
    source: Text = ""
    licence: Text = ""


class Check(Stage):
    """Test the dataset. A gate that is not green stops the run, or with `gate: go-on` is only reported."""

    kind: ClassVar[str] = "check"
    contract: str | None = Field(
        default=None,
        max_length=4_096,
        description="Contract file to set before the test",
    )
    gate: Literal["stop", "go-on"] = Field(
        default="stop", description="At a gate that is not green: stop, or report it and continue"
    )


class Augment(Stage):
    """Create the augmented copies that a seeded recipe describes."""

    kind: ClassVar[str] = "augment"
    recipe: Annotated[Mapping[str, JsonValue], AfterValidator(_recipe)] = Field(
        description="name, steps, copies, seed, keep"
    )
    where: Where = None
    splits: tuple[str, ...] | None = Field(
        default=("train", ""), description="Splits to augment; null means all"
    )
    label_sets: tuple[str, ...] | None = None


class Transform(Stage):
    """Create one transformed sample of each, or rename classes (null drops a class)."""

    kind: ClassVar[str] = "transform"
    recipe: Mapping[str, JsonValue] | None = Field(
        default=None, description="A recipe without random numbers"
    )
    classes: dict[str, str | None] | None = Field(default=None, description="Old class to new, or to null")
    where: Where = None
    splits: tuple[str, ...] | None = None
    label_sets: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _check_one_of(self) -> Transform:
        if (self.recipe is None) == (self.classes is None):
            raise _error("give either `recipe` or `classes`")
        if both := sorted(set(self.classes or {}) & set((self.classes or {}).values())):
            raise _error(f"{both[0]!r} is both an old and a new name, so a second run would map it again")
        return self


class Curate(Stage):
    """Assign splits, or tag a selection with `picked:NAME`."""

    kind: ClassVar[str] = "curate"
    split: dict[str, float] | None = Field(
        default=None, description="Share of each split; the shares add up to 1"
    )
    by: Text | None = Field(
        default=None,
        description="Field to keep together in a split; strategy of a selection: auto (the default), clusters, "
        "coverage, typical, diverse, uncertain, disagreement, rare, balanced or random",
    )
    select: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Number of samples to pick")
    name: str = Field(default="picked", max_length=64, description="Name of the selection")
    where: Where = None
    seed: int = 0

    @model_validator(mode="after")
    def _check_one_of(self) -> Curate:
        if (self.split is None) == (self.select is None):
            raise _error("give either `split` or `select`; use two stages for both")
        return self


class Commit(Stage):
    """Commit the working state, if anything changed."""

    kind: ClassVar[str] = "commit"
    message: str = Field(min_length=1, max_length=10_000)


class Release(Stage):
    """Release a tested version. Does nothing if the version is already released with this content."""

    kind: ClassVar[str] = "release"
    version: Annotated[str, AfterValidator(_version)] = Field(min_length=1, max_length=64)
    split: dict[str, float] | None = None
    by: Text | None = None
    where: Where = None
    seed: int = 0
    formats: tuple[str, ...] = ("coco",)
    label_set: Text = DEFAULT_LABEL_SET
    purpose: str = Field(
        default="", max_length=500, description="One of the purposes that the contract lists, if it lists any"
    )


STAGES: dict[str, type[Stage]] = {
    kind.kind: kind for kind in (Acquire, Annotate, Check, Augment, Transform, Curate, Commit, Release)
}
"""Name in the file -> stage."""


class Pipeline(BaseModel):
    """Stages on one dataset, in order. Paths are relative to `folder`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1, max_length=200)
    dataset: str = Field(
        min_length=1, max_length=100, description="Name of the dataset; created if it does not exist"
    )
    stages: tuple[SerializeAsAny[Stage], ...] = Field(min_length=1, max_length=MAX_STAGES)
    folder: Path = Path()

    @field_validator("dataset")
    @classmethod
    def _no_ref(cls, value: str) -> str:
        if "@" in value:
            raise _error("a pipeline works on `main`; give the name of the dataset without a ref")
        return value

    @property
    def sha256(self) -> str:
        """Hash over name, dataset and stages."""
        stages = [stage.sha256 for stage in self.stages]
        return sha256_json({"name": self.name, "dataset": self.dataset, "stages": stages})

    def resolve(self, path: str) -> Path:
        """A path of a stage; relative paths are relative to the pipeline's folder."""
        return self.folder / Path(path).expanduser()


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a pipeline file."""
    definitions: dict[str, Any] = {}
    choices = []
    for word, kind in STAGES.items():
        schema = kind.model_json_schema(ref_template="#/$defs/{model}")
        definitions |= schema.pop("$defs", {})
        definitions[kind.__name__] = schema
        entry = {word: {"$ref": f"#/$defs/{kind.__name__}"}}
        choices.append(
            {"type": "object", "properties": entry, "required": [word], "additionalProperties": False}
        )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pipeline of Calotype",
        "type": "object",
        "properties": {
            "pipeline": {"type": "string", "minLength": 1, "maxLength": 200},
            "dataset": {"type": "string", "minLength": 1, "maxLength": 100},
            "stages": {"type": "array", "minItems": 1, "maxItems": MAX_STAGES, "items": {"anyOf": choices}},
        },
        "required": ["pipeline", "dataset", "stages"],
        "additionalProperties": False,
        "$defs": definitions,
    }

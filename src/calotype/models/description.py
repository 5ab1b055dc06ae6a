"""The description of a model: a small YAML file that says what the ONNX file does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from calotype.foundation import text_files, yaml_text
from calotype.foundation.ids import sha256_json
from calotype.models.model import ModelDescriptionInvalid

MAX_BYTES = 1_000_000
MAX_CLASSES = 20_000
MAX_SIDE_PX = 4_096
_MAX_ERRORS = 5

Style = Literal["yolo-v5", "yolo-v8", "end-to-end", "ssd", "classes"]
BoxFormat = Literal["xyxy", "yxyx", "cxcywh", "xywh"]
Activation = Literal["none", "sigmoid", "softmax"]
Side = Annotated[int, Field(strict=True, ge=8, le=MAX_SIDE_PX)]
Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=500)]
Output = Annotated[StrictInt, Field(ge=0, le=1_000)] | Name | None
"""An output by its name or by its place, from 0."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSection(_Section):
    """How an image becomes the input of the model: `(value / divide_by - mean) / std`."""

    size: Side | tuple[Side, Side] | None = None
    layout: Literal["NCHW", "NHWC"] | None = None
    colour: Literal["RGB", "BGR", "grey"] | None = None
    resize: Literal["letterbox", "stretch", "crop", "none"] | None = None
    pad: Annotated[int, Field(strict=True, ge=0, le=255)] = 114
    pad_at: Literal["both", "end"] = "both"
    crop_share: Annotated[float, Field(ge=0.1, le=1, allow_inf_nan=False)] = 1.0
    divide_by: Positive | None = None
    mean: Number | tuple[Number, Number, Number] | None = None
    std: Positive | tuple[Positive, Positive, Positive] | None = None


class OutputSection(_Section):
    """What the outputs hold."""

    style: Style | None = None
    boxes: Output = None
    scores: Output = None
    classes: Output = None
    count: Output = None
    box_format: BoxFormat | None = None
    normalised: StrictBool | None = None
    activation: Activation | None = None
    background: Annotated[int, Field(strict=True, ge=0, le=MAX_CLASSES)] | Literal["none"] | None = None


class Description(_Section):
    """A description with the keys of the file; None for what the model says itself."""

    task: Literal["detection", "classification"] | None = None
    name: Annotated[StrictStr, Field(pattern=r"^[\w.@+-]{1,100}$")] | None = None
    licence: Annotated[StrictStr, Field(max_length=200)] = ""
    sha256: Annotated[StrictStr, Field(pattern="^[0-9a-f]{64}$")] | None = None
    input: InputSection = InputSection()
    output: OutputSection = OutputSection()
    classes: (
        Annotated[list[Name], Field(max_length=MAX_CLASSES)]
        | Annotated[
            dict[Annotated[int, Field(strict=True, ge=0, lt=2**31)], Name], Field(max_length=MAX_CLASSES)
        ]
        | Name
        | None
    ) = None
    first_class: Annotated[int, Field(strict=True, ge=0, le=1_000)] = 0
    class_map: Annotated[dict[Name, Name | None], Field(max_length=MAX_CLASSES)] = {}
    others: Literal["keep", "drop"] = "keep"
    min_score: Share | None = None
    iou: Share | None = None
    max_detections: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 300
    top_k: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1


@dataclass(frozen=True)
class Described:
    """A description, and where it stands, so that errors can name file, line and key.

    `names` are the classes of a file that it refers to, by number; `model` is the file name of the model.
    """

    description: Description = field(default_factory=Description)
    file: str = ""
    names: dict[int, str] | None = None
    model: str = ""
    _node: yaml.Node | None = field(default=None, repr=False, compare=False)

    @property
    def sha256(self) -> str:
        """A hash of the content, with the names of its file of classes; the same for equal descriptions."""
        plain = self.description.model_dump(mode="json", exclude_unset=True)
        return sha256_json([plain, {str(number): name for number, name in (self.names or {}).items()}])

    def problem(self, key: str, detail: str, hint: str) -> ModelDescriptionInvalid:
        """The error for a key, such as `output.style`; without a file it says where the key could be written."""
        where = f"{self.model}, {key}" if self.model else key
        if self._node is not None:
            line = yaml_text.line_of_path(self._node, key.split("."))
            where = f"{self.file} line {line}, {key}"
        return ModelDescriptionInvalid(where=where, detail=f"{key}: {detail}", hint=hint)


def read_description(path: Path | None) -> Described:
    """Read a description; without a path, the empty one.

    Raises: PathNotFound, StorageFailed, TextFileInvalid, ModelDescriptionInvalid.
    """
    if path is None:
        return Described()
    described = parse(text_files.read_text(path, max_bytes=MAX_BYTES), file=path.name)
    if isinstance(described.description.classes, str):
        names = _names_in(path, described)
        return replace(described, names=names)
    return described


def parse(text: str, *, file: str = "description") -> Described:
    """A description from YAML text. Raises: ModelDescriptionInvalid, with the line and key of each error."""
    node = yaml_text.compose(text, file, _invalid, word="description")
    if node is None:
        return Described(file=file)
    if not isinstance(node, yaml.MappingNode):
        raise _invalid(f"{file} line 1", "it is not a mapping", "start the file with `task: detection`")
    yaml_text.check_keys(node, file, _invalid)
    try:
        description = Description.model_validate(yaml_text.load(text, file, _invalid))
    except ValidationError as error:
        raise _as_ours(error, node, file) from None
    classes = description.classes
    numbers = enumerate(classes, description.first_class) if isinstance(classes, list) else ()
    names = classes if isinstance(classes, dict) else dict(numbers) or None
    return Described(description, file, names, _node=node)


def _names_in(path: Path, described: Described) -> dict[int, str]:
    """The classes of a file beside the description, one on each line. Raises: ModelDescriptionInvalid."""
    written = str(described.description.classes)
    folder = path.resolve().parent
    place = (folder / written).resolve()
    if Path(written).is_absolute() or not place.is_relative_to(folder):
        hint = "put the file of classes into the folder of the description"
        raise described.problem("classes", f"{written!r} is outside the folder of the description", hint)
    if not place.is_file():
        hint = "write the classes as a list, as a map of numbers to names, or as the name of a file beside this one"
        raise described.problem("classes", f"{written!r} is not a file beside the description", hint)
    lines = [line.strip() for line in text_files.read_text(place, max_bytes=MAX_BYTES).splitlines()]
    names = [line for line in lines if line]
    if not 1 <= len(names) <= MAX_CLASSES or max(map(len, names)) > 500:
        hint = f"write 1 to {MAX_CLASSES:,} names, one on each line"
        raise described.problem("classes", f"{written!r} does not hold names of classes", hint)
    return dict(enumerate(names, described.description.first_class))


def _as_ours(error: ValidationError, node: yaml.Node, file: str) -> ModelDescriptionInvalid:
    problems = []
    for each in error.errors(include_url=False, include_context=False)[:_MAX_ERRORS]:
        path = _written_part(node, each["loc"])
        line = yaml_text.line_of_path(node, path)
        problems.append((line, ".".join(map(str, path)), _message(each)))
    problems = list(dict.fromkeys(problems))
    line, key, _ = min(problems)
    detail = "; ".join(f"line {n}, {at}: {message}" for n, at, message in sorted(problems))
    hint = "correct these keys; docs/how-to/annotate-predict.md lists all of them"
    return _invalid(f"{file} line {line}, {key}", detail[:1_000], hint)


def _message(error: Any) -> str:
    if error["type"] != "extra_forbidden":
        return str(error["msg"])[:200]
    near = get_close_matches(str(error["loc"][-1]), sorted(_keys()), n=1, cutoff=0.6)
    return f"no such key; did you mean {near[0]!r}?" if near else "no such key"


def _keys() -> set[str]:
    sections: list[type[BaseModel]] = [Description, InputSection, OutputSection]
    return {name for section in sections for name in section.model_fields}


def _written_part(node: yaml.Node, loc: tuple[int | str, ...]) -> list[str | int]:
    """The part of pydantic's location that stands in the file; the rest are its names for branches of a union."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            values = [value for key, value in node.value if key.value == str(part)]
        else:
            inside = isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
            values = [node.value[part]] if inside else []
        if not values:
            break
        path.append(part)
        node = values[0]
    return path or [loc[0] if loc else "description"]


def _invalid(where: str, detail: str, hint: str) -> ModelDescriptionInvalid:
    return ModelDescriptionInvalid(where=where, detail=detail, hint=hint)

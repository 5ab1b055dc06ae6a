"""A recipe: declared steps, a seed and a hash. For one image and copy number, equal hashes mean equal pixels."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calotype.foundation import yaml_text
from calotype.foundation.errors import Invalid
from calotype.foundation.ids import sha256_json
from calotype.transform.input_file import read_text
from calotype.transform.recipe_steps import STEPS, Step

MAX_STEPS = 50
MAX_COPIES = 100
MAX_TEXT = 100_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
_KEYS = ("name", "steps", "copies", "seed", "keep")


class RecipeInvalid(Invalid):
    """A recipe that is not valid."""

    code = "recipe-invalid"
    what = "the recipe is not valid: {detail}"
    fix = "{hint}"


class Keep(BaseModel):
    """Which annotations to keep: minimum visible share of their area, minimum side of their box."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    min_visible: float = Field(default=0.3, ge=0.0, le=1.0)
    min_side_px: float = Field(default=1.0, ge=0.0, le=1_000.0)


@dataclass(frozen=True)
class Recipe:
    """What to do with each image. `copies` is the number of samples made from each; it is not part of the hash."""

    name: str
    steps: tuple[tuple[str, Step], ...]
    copies: int = 1
    seed: int = 0
    keep: Keep = field(default_factory=Keep)

    @cached_property
    def sha256(self) -> str:
        """Hash of the canonical form and of the versions of the operations used."""
        value = {key: part for key, part in self.to_dict().items() if key != "copies"}
        versions = {word: step.version for word, step in self.steps}
        return sha256_json({"recipe": value, "versions": versions})

    @property
    def label(self) -> str:
        """The recipe as a derived sample names it: `name@` and 12 digits of the hash."""
        return f"{self.name}@{self.sha256[:12]}"

    @property
    def random_steps(self) -> tuple[str, ...]:
        """The steps with random values, as `2 (rotate)`."""
        return tuple(
            f"{index} ({word})" for index, (word, step) in enumerate(self.steps, 1) if step.is_random
        )

    def to_dict(self) -> dict[str, Any]:
        """The canonical form: every field, each range as two numbers."""
        return {
            "name": self.name,
            "steps": [{word: step.model_dump(mode="json")} for word, step in self.steps],
            "copies": self.copies,
            "seed": self.seed,
            "keep": self.keep.model_dump(mode="json"),
        }


def load(file: Path) -> Recipe:
    """The recipe in a YAML file. Raises: TransformFileNotFound, RecipeInvalid, which names the line."""
    return parse(read_text(file, kind="recipe", max_chars=MAX_TEXT, make_error=_error), file=file.name)


def parse(source: str | Mapping[str, Any] | Recipe, *, file: str = "recipe") -> Recipe:
    """A recipe from YAML text or a mapping: `{name, steps: [{rotate: {degrees: 10}}], copies, seed, keep}`.

    Args:
        source: The text or the mapping; a recipe is returned unchanged.
        file: The name of the text's file, for errors.
    Raises:
        RecipeInvalid: names the step and the field, and for text the line.
    """
    if isinstance(source, Recipe):
        return source
    value, place = _read_yaml(source, file) if isinstance(source, str) else (source, _Place())
    if not isinstance(value, Mapping):
        raise place.invalid("it is not a mapping", hint="write `name:` and `steps:`")
    for key in value:
        if key not in _KEYS:
            hint = _suggest(str(key), _KEYS)
            raise place.invalid(f"unknown key {str(key)[:80]!r}", str(key)[:80], hint=hint)
    recipe = Recipe(
        name=_name(value.get("name"), place),
        steps=_steps(value.get("steps"), place),
        copies=_integer(value, "copies", place, default=1, low=1, high=MAX_COPIES),
        seed=_integer(value, "seed", place, default=0, low=0, high=2**63 - 1),
        keep=_keep(value.get("keep"), place),
    )
    if recipe.copies > 1 and not recipe.random_steps:
        hint = "set copies: 1, or give a step a range such as degrees: [-10, 10]"
        raise place.invalid(f"its {recipe.copies} copies would be identical", "copies", hint=hint)
    return recipe


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a recipe comes from: a mapping, or a YAML text (with `file`; `node` is None when it is empty)."""

    file: str = ""
    node: yaml.Node | None = None

    def invalid(self, detail: str, *path: str | int, hint: str) -> RecipeInvalid:
        """The error for the value at a path such as `"steps", 0, "rotate"`."""
        field = "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")
        line = 1 if self.node is None else yaml_text.line_of_path(self.node, path)
        where = ", ".join(part for part in (f"{self.file} line {line}" if self.file else "", field) if part)
        return _error(where or "recipe", detail, hint)


def _error(where: str, detail: str, hint: str) -> RecipeInvalid:
    return RecipeInvalid(where=where, detail=detail, hint=hint)


def _read_yaml(text: str, file: str) -> tuple[Any, _Place]:
    if len(text) > MAX_TEXT:
        raise _error(file, f"it is longer than {MAX_TEXT:,} characters", "a recipe is a page of YAML")
    node = yaml_text.compose(text, file, _error, word="recipe")
    if not isinstance(node, yaml.MappingNode):
        return None, _Place(file, node)
    yaml_text.check_keys(node, file, _error)
    return yaml_text.load(text, file, _error), _Place(file, node)


def _name(value: Any, place: _Place) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        hint = "use 1 to 64 letters, digits, `_`, `.` or `-`"
        raise place.invalid("the name is missing or not valid", "name", hint=hint)
    return value


def _steps(value: Any, place: _Place) -> tuple[tuple[str, Step], ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= MAX_STEPS:
        detail = f"`steps` is not a list of 1 to {MAX_STEPS} steps"
        raise place.invalid(detail, "steps", hint="steps: [{flip: {axis: horizontal}}]")
    return tuple(_step(entry, index, place) for index, entry in enumerate(value))


def _step(entry: Any, index: int, place: _Place) -> tuple[str, Step]:
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        hint = "write each step as `- flip: {axis: horizontal}`"
        raise place.invalid(f"step {index + 1} is not a mapping with one name", "steps", index, hint=hint)
    word, fields = next(iter(entry.items()))
    kind = STEPS.get(word) if isinstance(word, str) else None
    if kind is None:
        detail = f"step {index + 1}: unknown operation {str(word)[:80]!r}"
        raise place.invalid(detail, "steps", index, hint=_suggest(str(word), tuple(STEPS)))
    try:
        return word, kind.model_validate({} if fields is None else fields)
    except ValidationError as error:
        subject = f"step {index + 1} ({word})"
        raise _field_error(error, kind, place, ("steps", index, word), subject=subject) from None


def _keep(value: Any, place: _Place) -> Keep:
    try:
        return Keep.model_validate({} if value is None else value)
    except ValidationError as error:
        raise _field_error(error, Keep, place, ("keep",), subject="keep") from None


def _field_error(
    error: ValidationError, kind: type[BaseModel], place: _Place, path: tuple[str | int, ...], *, subject: str
) -> RecipeInvalid:
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    first = min(
        errors, key=lambda e: e["type"] != "extra_forbidden"
    )  # a misspelt field explains a missing one
    inner = [str(part) for part in first["loc"] if not str(part).startswith("function-")]
    field = ".".join(inner)
    known = tuple(kind.model_fields)
    if first["type"] == "extra_forbidden":
        known = ("min_scale", "max_scale", "ratio") if "random" in inner[:-1] else known
        detail, hint = f"{subject} has no field {inner[-1][:80]!r}", _suggest(inner[-1], known)
    elif first["type"] == "missing":
        detail, hint = f"{subject} lacks {field!r}", f"add {field}; its fields are {', '.join(known)}"
    else:
        message = first["msg"][0].lower() + first["msg"][1:]
        detail = f"{subject}, field {field!r}: {message}" if field else f"{subject}: {message}"
        hint = "correct the value" if field else f"its fields are {', '.join(known)}"
    return place.invalid(detail, *path, *inner, hint=hint)


def _integer(value: Mapping[str, Any], key: str, place: _Place, *, default: int, low: int, high: int) -> int:
    number = value.get(key, default)
    if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
        raise place.invalid(f"{key} is not an integer from {low} to {high}", key, hint=f"{key}: {default}")
    return number


def _suggest(word: str, known: Sequence[str]) -> str:
    """A hint that lists the known words, with the one that was probably meant."""
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    american = {"color": "colour", "grayscale": "greyscale", "gray": "greyscale"}.get(word.lower())
    meant = american if american in known else close[0] if close else None
    return (f"did you mean {meant}? " if meant else "") + f"known: {', '.join(known)}"

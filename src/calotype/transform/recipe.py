"""A recipe: declared steps, a seed, a hash. Equal hashes mean equal pixels for one image and copy number."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calotype.foundation.errors import Invalid
from calotype.foundation.ids import sha256_json
from calotype.transform.recipe_steps import STEPS, Step

MAX_STEPS = 50
MAX_COPIES = 100
MAX_TEXT = 100_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
_KEYS = ("name", "steps", "copies", "seed", "keep")


class RecipeInvalid(Invalid):
    """A recipe that cannot be followed."""

    code = "recipe-invalid"
    what = "the recipe cannot be followed: {detail}"
    fix = "{hint}"


class Keep(BaseModel):
    """Which annotations stay: the share of their area that must be visible, the least side of their box."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    min_visible: float = Field(default=0.3, ge=0.0, le=1.0)
    min_side_px: float = Field(default=1.0, ge=0.0, le=1_000.0)


@dataclass(frozen=True)
class Recipe:
    """What to do with each image. `copies` is how many samples come of one; it is not part of the hash."""

    name: str
    steps: tuple[tuple[str, Step], ...]
    copies: int = 1
    seed: int = 0
    keep: Keep = field(default_factory=Keep)

    @cached_property
    def sha256(self) -> str:
        """Over the canonical form and the versions of the operations used."""
        value = {key: part for key, part in self.to_dict().items() if key != "copies"}
        versions = {word: step.version for word, step in self.steps}
        return sha256_json({"recipe": value, "versions": versions})

    @property
    def label(self) -> str:
        """How a derived sample names its recipe: `name@` and 12 digits of the hash."""
        return f"{self.name}@{self.sha256[:12]}"

    @property
    def random_steps(self) -> tuple[str, ...]:
        """The steps that draw random numbers, as `2 (rotate)`."""
        return tuple(f"{at} ({word})" for at, (word, step) in enumerate(self.steps, 1) if step.is_random)

    def to_dict(self) -> dict[str, Any]:
        """The canonical form: every field, each range as two numbers."""
        return {
            "name": self.name,
            "steps": [{word: step.model_dump(mode="json")} for word, step in self.steps],
            "copies": self.copies,
            "seed": self.seed,
            "keep": self.keep.model_dump(mode="json"),
        }


def parse(source: str | Mapping[str, Any] | Recipe) -> Recipe:
    """A recipe from YAML text or a mapping: `{name, steps: [{rotate: {degrees: 10}}], copies, seed, keep}`.

    Raises: RecipeInvalid, which names the step and the field.
    """
    if isinstance(source, Recipe):
        return source
    value = _load(source) if isinstance(source, str) else source
    if not isinstance(value, Mapping):
        raise _invalid("it is no mapping", hint="write `name:` and `steps:`")
    for key in value:
        if key not in _KEYS:
            raise _invalid(f"unknown key {str(key)[:80]!r}", where=str(key)[:80], hint=_near(str(key), _KEYS))
    name = value.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        hint = "give 1 to 64 letters, digits, `_`, `.` or `-`"
        raise _invalid("it has no usable name", where="name", hint=hint)
    steps = value.get("steps")
    if not isinstance(steps, Sequence) or isinstance(steps, str) or not 1 <= len(steps) <= MAX_STEPS:
        detail = f"`steps` is no list of 1 to {MAX_STEPS} steps"
        raise _invalid(detail, where="steps", hint="steps: [{flip: {axis: horizontal}}]")
    recipe = Recipe(
        name=name,
        steps=tuple(_step(entry, at) for at, entry in enumerate(steps, 1)),
        copies=_whole(value, "copies", default=1, low=1, high=MAX_COPIES),
        seed=_whole(value, "seed", default=0, low=0, high=2**63 - 1),
        keep=_keep(value.get("keep")),
    )
    if recipe.copies > 1 and not recipe.random_steps:
        hint = "set copies: 1, or give a step a range such as degrees: [-10, 10]"
        raise _invalid(f"its {recipe.copies} copies would all be the same", where="copies", hint=hint)
    return recipe


def _load(text: str) -> Any:
    if len(text) > MAX_TEXT:
        raise _invalid(f"it is longer than {MAX_TEXT} characters", hint="keep to the steps")
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark is not None else ""
        raise _invalid("it is no YAML", where=where, hint="mind the indentation and the brackets") from None


def _step(entry: Any, at: int) -> tuple[str, Step]:
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        hint = "write each step as `- flip: {axis: horizontal}`"
        raise _invalid(f"step {at} is no step with one name", where=f"steps[{at}]", hint=hint)
    word, fields = next(iter(entry.items()))
    kind = STEPS.get(word) if isinstance(word, str) else None
    if kind is None:
        detail = f"step {at} is called {str(word)[:80]!r}, which is no operation"
        raise _invalid(detail, where=f"steps[{at}]", hint=_near(str(word), tuple(STEPS)))
    try:
        return word, kind.model_validate({} if fields is None else fields)
    except ValidationError as error:
        raise _field_error(error, kind, where=f"steps[{at}].{word}", of=f"step {at} ({word})") from None


def _keep(value: Any) -> Keep:
    try:
        return Keep.model_validate({} if value is None else value)
    except ValidationError as error:
        raise _field_error(error, Keep, where="keep", of="keep") from None


def _field_error(error: ValidationError, kind: type[BaseModel], *, where: str, of: str) -> RecipeInvalid:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = [str(part) for part in first["loc"] if not str(part).startswith("function-")]
    field = ".".join(path)
    known = tuple(kind.model_fields)
    if first["type"] == "extra_forbidden":
        inner = "random" in path[:-1]
        known = ("min_scale", "max_scale", "ratio") if inner else known
        detail, hint = f"{of} has no field {path[-1][:80]!r}", _near(path[-1], known)
    elif first["type"] == "missing":
        detail, hint = f"{of} lacks {field!r}", f"give {field}; its fields are {', '.join(known)}"
    else:
        said = first["msg"][0].lower() + first["msg"][1:]
        detail = f"{of}, field {field!r}: {said}" if field else f"{of}: {said}"
        hint = "correct the value" if field else f"its fields are {', '.join(known)}"
    return _invalid(detail, where=f"{where}.{field}" if field else where, hint=hint)


def _whole(value: Mapping[str, Any], key: str, *, default: int, low: int, high: int) -> int:
    got = value.get(key, default)
    if isinstance(got, bool) or not isinstance(got, int) or not low <= got <= high:
        raise _invalid(f"{key} is no whole number from {low} to {high}", where=key, hint=f"{key}: {default}")
    return got


def _near(got: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(got.lower(), known, n=1, cutoff=0.5)
    american = {"color": "colour", "grayscale": "greyscale", "gray": "greyscale"}.get(got.lower())
    meant = american if american in known else close[0] if close else None
    return (f"did you mean {meant}? " if meant else "") + f"known: {', '.join(known)}"


def _invalid(detail: str, *, hint: str, where: str = "") -> RecipeInvalid:
    return RecipeInvalid(where=where or "recipe", detail=detail, hint=hint)

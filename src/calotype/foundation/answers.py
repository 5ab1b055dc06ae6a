"""The base and the plain types of HTTP answers; what a room answers stands in its own `answers.py`.

Every field is always there, save those that are `optional()`; `T | None` is null where there is no value. Routes answer
what they set and no defaults (`response_model_exclude_unset`, which `action(...)` asks for).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict, WithJsonSchema

T = TypeVar("T")

Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
"""An integer stays an integer in the JSON."""

Scalar = str | int | float | bool

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""ISO 8601, UTC."""

Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
"""ISO 8601 date."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

MediaKey = Annotated[str, Field(pattern="^([0-9a-f]{64}|r[0-9a-f]{63})$")]
"""The SHA-256 of stored bytes, or the key of a reference."""

Pair = Annotated[tuple[T, T], Strict(False)]
"""A list of two; the domain hands it over as a list or as a tuple."""


def optional(description: str | None = None) -> Any:
    """A field that an answer may lack. It has no default, so the description of the API shows none."""
    return Field(default_factory=lambda: None, description=description)


class Answer(BaseModel):
    """An answer or a part of one. Values are taken as they are, never converted; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """The answer made of plain values, such as the `to_dict()` of a domain object."""
        return cls.model_validate(value)

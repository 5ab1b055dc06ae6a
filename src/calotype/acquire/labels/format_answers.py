"""What the route of label formats answers."""

from __future__ import annotations

from pydantic import Field

from calotype.formats.base import Format
from calotype.foundation.answers import Answer


class LabelFormat(Answer):
    """A label format and what it can do."""

    name: str
    title: str
    suffixes: list[str] = Field(description="Extensions of its label files, the usual one first.")
    reads: list[str] = Field(description="Kinds of annotations that can be imported; empty: none.")
    writes: list[str] = Field(description="Kinds of annotations that can be exported; empty: none.")
    one_file: bool = Field(description="Whether a single label file can be uploaded.")
    streams: bool = Field(description="Whether large files are read in bounded memory.")
    loses: list[str] = Field(description="What an export cannot hold.")

    @classmethod
    def of_format(cls, format: Format) -> LabelFormat:
        """The answer for a registered format."""
        abilities = format.abilities
        return cls(
            name=format.name,
            title=format.title,
            suffixes=list(format.suffixes),
            reads=sorted(abilities.reads),
            writes=sorted(abilities.writes),
            one_file=abilities.one_file,
            streams=abilities.streams,
            loses=list(abilities.loses),
        )


class LabelFormatList(Answer):
    """All label formats."""

    items: list[LabelFormat]

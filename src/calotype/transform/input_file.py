"""Reads the files that commands of this room take: recipes and class mappings."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.errors import NotFound
from calotype.foundation.yaml_text import ErrorFactory


class TransformFileNotFound(NotFound):
    """A recipe or class mapping file that does not exist or cannot be read."""

    code = "transform-file-not-found"
    what = "{kind} file {file} cannot be read: {detail}"
    fix = "check the path; see docs/how-to/augment-make-copies.md and docs/how-to/transform-classes.md for examples"


def read_text(file: Path, *, kind: str, max_chars: int, make_error: ErrorFactory) -> str:
    """The text of a UTF-8 file.

    Args:
        file: The file.
        kind: What it holds, for errors: "recipe".
        max_chars: Maximum length of the text.
        make_error: Creates the error for a file that is too long or not UTF-8.
    Raises:
        TransformFileNotFound, and what `make_error` creates.
    """
    try:
        with file.open("rb") as handle:
            data = handle.read(4 * max_chars + 1)
    except OSError as error:
        detail = (error.strerror or str(error)).lower()
        raise TransformFileNotFound(where=str(file), kind=kind, file=file.name, detail=detail) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = ""
        if len(data) <= 4 * max_chars:  # a longer file may end within a character
            raise make_error(
                file.name, f"byte {error.start} is not UTF-8", "save the file as UTF-8"
            ) from None
    if len(data) > 4 * max_chars or len(text) > max_chars:
        raise make_error(file.name, f"it is longer than {max_chars:,} characters", f"shorten the {kind}")
    return text

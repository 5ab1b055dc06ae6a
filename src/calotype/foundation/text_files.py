"""Text files that a person names: read within a limit, as UTF-8."""

from __future__ import annotations

import stat
from pathlib import Path

from calotype.foundation.errors import Invalid
from calotype.foundation.os_errors import as_calotype_error

MAX_BYTES = 4_000_000


class TextFileInvalid(Invalid):
    """A file that cannot be read as UTF-8 text."""

    code = "text-file-invalid"
    what = "{file} cannot be read as text: {detail}"
    fix = "{remedy_text}"


def read_text(file: Path, *, max_bytes: int = MAX_BYTES) -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Raises: PathNotFound, StorageFailed, TextFileInvalid (a folder or device, too long, another encoding).
    """
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            detail = "it is a folder" if stat.S_ISDIR(mode) else "it is a pipe, socket or device"
            raise TextFileInvalid(file=str(file), detail=detail, remedy_text="name a text file")
        with file.open("rb") as handle:
            data = handle.read(max_bytes + 1)
    except OSError as error:
        raise as_calotype_error(error) from None
    if len(data) > max_bytes:
        detail = f"it is larger than {max_bytes:,} bytes"
        raise TextFileInvalid(file=str(file), detail=detail, remedy_text="check that it is the right file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextFileInvalid(
            file=str(file), detail=_not_utf8(data, error.start), remedy_text="save the file as UTF-8"
        ) from None


def _not_utf8(data: bytes, place: int) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "its encoding is UTF-16"
    line = data.count(b"\n", 0, place) + 1
    return f"line {line} is not UTF-8 (byte 0x{data[place]:02x} at position {place})"

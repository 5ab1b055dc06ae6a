"""Reads lists of operations from files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from calotype.foundation import json_limits
from calotype.labelling.errors import OperationInvalid
from calotype.labelling.model import MAX_BYTES


def operations_in(file: str) -> Any:
    """The list of operations in a file, or in an object under `operations`. Raises: OperationInvalid."""
    where = "standard input" if file == "-" else file
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise OperationInvalid(where=where, detail=f"it cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise OperationInvalid(where=where, detail=f"it has more than {MAX_BYTES:,} bytes")
    value = json_limits.parse(data)
    listed = value["operations"] if isinstance(value, dict) and set(value) == {"operations"} else value
    if not isinstance(listed, list):
        raise OperationInvalid(where=where, detail="the operations are not a list")
    return listed

"""Reads lists of operations from files."""

from __future__ import annotations

from typing import Any

from calotype.foundation import json_limits
from calotype.labelling.errors import OperationInvalid
from calotype.labelling.model import MAX_BYTES


def operations_in(file: str) -> Any:
    """The list of operations in a file, or in an object under `operations`. Raises: OperationInvalid."""
    listed = json_limits.read_list(file, "operations", max_bytes=MAX_BYTES, refused=OperationInvalid)
    if not isinstance(listed, list):
        raise OperationInvalid(
            where="standard input" if file == "-" else file, detail="the operations are not a list"
        )
    return listed

"""What the methods refuse: arrays that do not fit together, with an error that says how to fix them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.foundation.errors import Invalid


class InputsInvalid(Invalid):
    """Arrays that a method cannot use."""

    code = "inputs-invalid"
    what = "{name} cannot be used: {detail}"
    fix = "{hint}"


def refuse(name: str, detail: str, hint: str) -> InputsInvalid:
    """The error; the caller raises it."""
    return InputsInvalid(name=name, detail=detail, hint=hint)


def whole_numbers(values: npt.ArrayLike, name: str, *, n: int | None = None) -> npt.NDArray[np.int64]:
    """(N,) int64. Raises: InputsInvalid."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise refuse(name, f"its shape is {array.shape}, not (N,)", "give one number per row")
    if array.dtype.kind not in "iub" and not (array.dtype.kind == "f" and _are_whole(array)):
        if len(array):
            raise refuse(name, f"its type is {array.dtype}", "give whole numbers, such as class ids")
        array = np.zeros(0, np.int64)
    if n is not None and len(array) != n:
        raise refuse(name, f"it has {len(array)} rows, not {n}", "give arrays of equal length")
    return array.astype(np.int64)


def class_labels(values: npt.ArrayLike, name: str, *, n: int | None = None) -> npt.NDArray[Any]:
    """(N,) int64, or (N,) strings where all are. Raises: InputsInvalid."""
    array = np.asarray(values)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "UO":
        return whole_numbers(array, name, n=n)
    if not all(isinstance(value, str) for value in array.tolist()):
        raise refuse(name, "it holds values that are not strings", "give class ids, or a string per row")
    if n is not None and len(array) != n:
        raise refuse(name, f"it has {len(array)} rows, not {n}", "give arrays of equal length")
    return array.astype(str)


def _are_whole(array: npt.NDArray[Any]) -> bool:
    return bool(np.isfinite(array).all() and (array == np.round(array)).all())


def finite(values: npt.ArrayLike, name: str, *, n: int | None = None) -> npt.NDArray[np.float32]:
    """(N, D) float32, all finite. Raises: InputsInvalid."""
    array = np.asarray(values)
    if array.ndim != 2:
        raise refuse(name, f"its shape is {array.shape}, not (N, D)", "give one row of numbers a sample")
    if array.dtype.kind not in "fiub":
        raise refuse(name, f"its type is {array.dtype}", "give numbers")
    if n is not None and len(array) != n:
        raise refuse(name, f"it has {len(array)} rows, not {n}", "give arrays of equal length")
    array = array.astype(np.float32)
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise refuse(
            name, f"row {row} holds NaN or infinity ({int(bad.sum())} such rows)", "leave these rows out"
        )
    return array


def probabilities(values: npt.ArrayLike, name: str, *, n: int | None = None) -> npt.NDArray[np.float32]:
    """(N, K) float32, each row not negative and together 1; rows that are off by rounding are scaled.

    Raises: InputsInvalid.
    """
    array = finite(values, name, n=n)
    if not array.size:
        return array
    if float(array.min()) < -1e-6:
        raise refuse(name, "it holds negative numbers", "give probabilities: apply softmax to logits")
    total = array.sum(axis=1, keepdims=True)
    off = np.abs(total[:, 0] - 1) > 0.02
    if off.any():
        row = int(np.flatnonzero(off)[0])
        detail = f"row {row} adds up to {float(total[row, 0]):.4g}, not 1"
        raise refuse(name, detail, "give probabilities of all classes: apply softmax to logits")
    return np.asarray(np.clip(array, 0, None) / total, np.float32)

"""Reads tensors from a file of an older PyTorch without PyTorch, and without running anything that stands in it.

Such a file is a row of five pickles and then the raw numbers. Its opcodes are read one by one; a handful is
understood, all others are refused, and the four names that it may mention are never looked up.
Source: `torch/serialization.py` of PyTorch 1.0, `_legacy_save`; opcodes as in Python's `pickletools`.
"""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.foundation.errors import Invalid

Tensors = dict[str, npt.NDArray[Any]]
_TYPES: dict[str, npt.DTypeLike] = {"torch FloatStorage": np.float32, "torch LongStorage": np.int64}
_REBUILD, _ORDERED = "torch._utils _rebuild_tensor_v2", "collections OrderedDict"
_N_PICKLES = 5


class TensorFileUnreadable(Invalid):
    """A file that does not hold tensors in the expected form."""

    code = "tensor-file-unreadable"
    what = "the file of weights cannot be read: {detail}"
    fix = "install the package of the weights again"


@dataclass(frozen=True, slots=True)
class _Name:
    text: str


@dataclass(frozen=True, slots=True)
class _Tensor:
    kind: str
    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_MARK = object()


def read_tensors(data: bytes) -> Tensors:
    """Name -> array, of a file that holds a plain dictionary of tensors.

    Raises: TensorFileUnreadable.
    """
    stream = io.BytesIO(data)
    try:
        values = [_value(stream) for _ in range(_N_PICKLES)]
        held, keys = values[3], values[4]
        numbers = {str(key): _storage(stream, kind) for key, kind in _in_order(held, keys)}
        return {name: _array(one, numbers) for name, one in held.items() if isinstance(one, _Tensor)}
    except TensorFileUnreadable:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise TensorFileUnreadable(detail=f"{type(error).__name__}: {str(error)[:120]}") from error


def _in_order(held: dict[str, Any], keys: list[str]) -> list[tuple[str, str]]:
    kinds = {one.key: one.kind for one in held.values() if isinstance(one, _Tensor)}
    return [(key, kinds[key]) for key in keys]


def _storage(stream: io.BytesIO, kind: str) -> npt.NDArray[Any]:
    (n,) = struct.unpack("<q", stream.read(8))
    dtype = np.dtype(_TYPES[kind])
    body = stream.read(n * dtype.itemsize)
    if n < 0 or len(body) != n * dtype.itemsize:
        raise TensorFileUnreadable(detail="it ends too early")
    return np.frombuffer(body, dtype)


def _array(one: _Tensor, numbers: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    flat = numbers[one.key]
    ok = (
        len(one.shape) == len(one.strides)
        and all(n > 0 for n in (*one.shape, *one.strides))
        and one.offset >= 0
    )
    furthest = one.offset + sum((n - 1) * step for n, step in zip(one.shape, one.strides, strict=True))
    if not ok or furthest >= len(flat):
        raise TensorFileUnreadable(detail="a tensor reaches beyond its numbers")
    if not one.shape:
        return np.asarray(flat[one.offset])
    index = sum(
        (
            np.arange(n).reshape((-1,) + (1,) * (len(one.shape) - at - 1)) * step
            for at, (n, step) in enumerate(zip(one.shape, one.strides, strict=True))
        ),
        start=np.asarray(one.offset),
    )
    return np.asarray(flat[index])


class _Stack:
    """What the opcodes have put up so far."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.memo: dict[int, Any] = {}

    def since_mark(self) -> list[Any]:
        at = len(self.items) - 1 - self.items[::-1].index(_MARK)
        taken = self.items[at + 1 :]
        del self.items[at:]
        return taken

    def last(self, n: int) -> list[Any]:
        taken = self.items[len(self.items) - n :]
        del self.items[len(self.items) - n :]
        return taken


def _value(stream: io.BytesIO) -> Any:
    stack = _Stack()
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "STOP":
            return stack.items[-1]
        if opcode.name in _CONSTANTS:
            stack.items.append(argument)
        elif opcode.name in _STEPS:
            _STEPS[opcode.name](stack, argument)
        else:
            raise TensorFileUnreadable(detail=f"it holds the opcode {opcode.name}")
    raise TensorFileUnreadable(detail="it ends too early")


def _named(stack: _Stack, argument: str) -> None:
    if argument not in (*_TYPES, _REBUILD, _ORDERED):
        raise TensorFileUnreadable(detail=f"it mentions {argument[:60]!r}")
    stack.items.append(_Name(argument))


def _persistent(stack: _Stack, _: Any) -> None:
    what, kind, key, _place, _n, view = stack.items.pop()
    if what != "storage" or view is not None:
        raise TensorFileUnreadable(detail="it holds views of storages")
    stack.items.append((kind.text, str(key)))


def _reduced(stack: _Stack, _: Any) -> None:
    made, arguments = stack.last(2)
    if made.text == _REBUILD:
        (kind, key), offset, shape, strides = arguments[:4]
        stack.items.append(_Tensor(kind, key, offset, tuple(shape), tuple(strides)))
    elif made.text == _ORDERED and not arguments:
        stack.items.append({})
    else:
        raise TensorFileUnreadable(detail="it makes something other than tensors")


def _put_all(stack: _Stack, _: Any) -> None:
    pairs = stack.since_mark()
    stack.items[-1].update(zip(pairs[::2], pairs[1::2], strict=True))


def _put_one(stack: _Stack, _: Any) -> None:
    key, value = stack.last(2)
    stack.items[-1][key] = value


_CONSTANTS = {"BININT", "BININT1", "BININT2", "BINUNICODE", "LONG1"}
_STEPS: dict[str, Callable[[_Stack, Any], Any]] = {
    "PROTO": lambda stack, _: None,
    "MARK": lambda stack, _: stack.items.append(_MARK),
    "NONE": lambda stack, _: stack.items.append(None),
    "NEWFALSE": lambda stack, _: stack.items.append(False),
    "NEWTRUE": lambda stack, _: stack.items.append(True),
    "EMPTY_DICT": lambda stack, _: stack.items.append({}),
    "EMPTY_LIST": lambda stack, _: stack.items.append([]),
    "EMPTY_TUPLE": lambda stack, _: stack.items.append(()),
    "TUPLE": lambda stack, _: stack.items.append(tuple(stack.since_mark())),
    "TUPLE1": lambda stack, _: stack.items.append(tuple(stack.last(1))),
    "TUPLE2": lambda stack, _: stack.items.append(tuple(stack.last(2))),
    "BINPUT": lambda stack, at: stack.memo.__setitem__(at, stack.items[-1]),
    "LONG_BINPUT": lambda stack, at: stack.memo.__setitem__(at, stack.items[-1]),
    "BINGET": lambda stack, at: stack.items.append(stack.memo[at]),
    "LONG_BINGET": lambda stack, at: stack.items.append(stack.memo[at]),
    "APPENDS": lambda stack, _: (lambda added: stack.items[-1].extend(added))(stack.since_mark()),
    "BUILD": lambda stack, _: stack.last(1),
    "GLOBAL": _named,
    "BINPERSID": _persistent,
    "REDUCE": _reduced,
    "SETITEM": _put_one,
    "SETITEMS": _put_all,
}

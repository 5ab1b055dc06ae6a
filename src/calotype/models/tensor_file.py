"""Reads tensors from a legacy PyTorch file, without PyTorch and without executing anything in the file.

The file consists of five pickles and the raw numbers. Opcodes are interpreted one by one; only a few are supported and
all others are rejected. The four global names that may occur are never looked up.
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
    """A file that does not contain tensors in the expected format."""

    code = "tensor-file-unreadable"
    what = "the weights file cannot be read: {detail}"
    fix = "reinstall the package that contains the weights"


@dataclass(frozen=True, slots=True)
class _Global:
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
    """Tensor by name, from a file that contains a plain dictionary of tensors.

    Raises: TensorFileUnreadable.
    """
    stream = io.BytesIO(data)
    try:
        values = [_read_pickle(stream) for _ in range(_N_PICKLES)]
        state, storage_keys = values[3], values[4]
        numbers = {str(key): _read_storage(stream, kind) for key, kind in _storage_kinds(state, storage_keys)}
        return {
            name: _read_array(value, numbers) for name, value in state.items() if isinstance(value, _Tensor)
        }
    except TensorFileUnreadable:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise TensorFileUnreadable(detail=f"{type(error).__name__}: {str(error)[:120]}") from error


def _storage_kinds(state: dict[str, Any], keys: list[str]) -> list[tuple[str, str]]:
    kinds = {value.key: value.kind for value in state.values() if isinstance(value, _Tensor)}
    return [(key, kinds[key]) for key in keys]


def _read_storage(stream: io.BytesIO, kind: str) -> npt.NDArray[Any]:
    (n,) = struct.unpack("<q", stream.read(8))
    dtype = np.dtype(_TYPES[kind])
    body = stream.read(n * dtype.itemsize)
    if n < 0 or len(body) != n * dtype.itemsize:
        raise TensorFileUnreadable(detail="it is truncated")
    return np.frombuffer(body, dtype)


def _read_array(tensor: _Tensor, numbers: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    flat = numbers[tensor.key]
    is_valid = (
        len(tensor.shape) == len(tensor.strides)
        and all(n > 0 for n in (*tensor.shape, *tensor.strides))
        and tensor.offset >= 0
    )
    last_index = tensor.offset + sum(
        (n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True)
    )
    if not is_valid or last_index >= len(flat):
        raise TensorFileUnreadable(detail="a tensor exceeds its storage")
    if not tensor.shape:
        return np.asarray(flat[tensor.offset])
    index = sum(
        (
            np.arange(n).reshape((-1,) + (1,) * (len(tensor.shape) - axis - 1)) * step
            for axis, (n, step) in enumerate(zip(tensor.shape, tensor.strides, strict=True))
        ),
        start=np.asarray(tensor.offset),
    )
    return np.asarray(flat[index])


class _Stack:
    """The stack and memo of the pickle machine."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.memo: dict[int, Any] = {}

    def pop_to_mark(self) -> list[Any]:
        mark = len(self.items) - 1 - self.items[::-1].index(_MARK)
        items = self.items[mark + 1 :]
        del self.items[mark:]
        return items

    def pop(self, n: int) -> list[Any]:
        items = self.items[len(self.items) - n :]
        del self.items[len(self.items) - n :]
        return items


def _read_pickle(stream: io.BytesIO) -> Any:
    stack = _Stack()
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "STOP":
            return stack.items[-1]
        if opcode.name in _CONSTANTS:
            stack.items.append(argument)
        elif opcode.name in _STEPS:
            _STEPS[opcode.name](stack, argument)
        else:
            raise TensorFileUnreadable(detail=f"unsupported opcode {opcode.name}")
    raise TensorFileUnreadable(detail="it is truncated")


def _push_global(stack: _Stack, argument: str) -> None:
    if argument not in (*_TYPES, _REBUILD, _ORDERED):
        raise TensorFileUnreadable(detail=f"unexpected name {argument[:60]!r}")
    stack.items.append(_Global(argument))


def _push_storage(stack: _Stack, _: Any) -> None:
    kind_name, kind, key, _place, _n, view = stack.items.pop()
    if kind_name != "storage" or view is not None:
        raise TensorFileUnreadable(detail="views of storages are not supported")
    stack.items.append((kind.text, str(key)))


def _reduce(stack: _Stack, _: Any) -> None:
    function, arguments = stack.pop(2)
    if function.text == _REBUILD:
        (kind, key), offset, shape, strides = arguments[:4]
        stack.items.append(_Tensor(kind, key, offset, tuple(shape), tuple(strides)))
    elif function.text == _ORDERED and not arguments:
        stack.items.append({})
    else:
        raise TensorFileUnreadable(detail="it constructs something other than tensors")


def _set_items(stack: _Stack, _: Any) -> None:
    pairs = stack.pop_to_mark()
    stack.items[-1].update(zip(pairs[::2], pairs[1::2], strict=True))


def _set_item(stack: _Stack, _: Any) -> None:
    key, value = stack.pop(2)
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
    "TUPLE": lambda stack, _: stack.items.append(tuple(stack.pop_to_mark())),
    "TUPLE1": lambda stack, _: stack.items.append(tuple(stack.pop(1))),
    "TUPLE2": lambda stack, _: stack.items.append(tuple(stack.pop(2))),
    "BINPUT": lambda stack, at: stack.memo.__setitem__(at, stack.items[-1]),
    "LONG_BINPUT": lambda stack, at: stack.memo.__setitem__(at, stack.items[-1]),
    "BINGET": lambda stack, at: stack.items.append(stack.memo[at]),
    "LONG_BINGET": lambda stack, at: stack.items.append(stack.memo[at]),
    "APPENDS": lambda stack, _: (lambda added: stack.items[-1].extend(added))(stack.pop_to_mark()),
    "BUILD": lambda stack, _: stack.pop(1),
    "GLOBAL": _push_global,
    "BINPERSID": _push_storage,
    "REDUCE": _reduce,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
}

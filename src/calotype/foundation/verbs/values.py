"""Values of verbs as plain values that can be packed, and back by their types.

Dataclasses become mappings with their class under `$`. What comes in is held against the type of the parameter: only
classes that the type names, or their subclasses, are ever built, and nothing is executed. Arrays come as dtype, shape
and bytes; tables as columns of values when they are sent to a server, because Arrow's compressed buffers have no limit
of their own, and as an Arrow stream when they are answered.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections import abc
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from calotype.foundation.errors import Invalid

CLASS = "$"
ARRAY, TABLE, COLUMNS = "$array", "$arrow", "$columns"
_NUMBERS = "biufc"
_LISTS = (list, abc.Sequence, abc.Collection, abc.Iterable)
_PLAIN = (bool, str, bytes)


class CallInvalid(Invalid):
    """An argument of a call over HTTP does not have the type that the verb takes."""

    code = "call-invalid"
    what = "{name}: {detail}"
    fix = "use a client of the same version as the server"


@dataclasses.dataclass(frozen=True, slots=True)
class Hooks:
    """How values of other types travel: type -> to a plain value, and from one.

    Args:
        arrow: Whether tables are packed as Arrow streams, and accepted as such; else only as columns of values.
    """

    pack: Mapping[type, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)
    build: Mapping[type, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)
    arrow: bool = False


def to_plain(value: Any, hooks: Hooks) -> Any:
    """A value as plain ones: None, bool, int, float, str, bytes, lists and mappings. Raises: TypeError."""
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    for kind, pack in hooks.pack.items():
        if isinstance(value, kind):
            return pack(value)
    if isinstance(value, Enum):
        return to_plain(value.value, hooks)
    if isinstance(value, str | int | float):
        return next(kind(value) for kind in (str, int, float) if isinstance(value, kind))
    if dataclasses.is_dataclass(value):
        fields = {
            field.name: to_plain(getattr(value, field.name), hooks)
            for field in dataclasses.fields(value)
            if field.init
        }
        return {CLASS: type(value).__name__, **fields}
    if hasattr(value, "model_dump"):  # a Pydantic model
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {to_plain(key, hooks): to_plain(item, hooks) for key, item in value.items()}
    if isinstance(value, abc.Sequence | abc.Set):
        return [to_plain(item, hooks) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return _bulk_to_plain(value, hooks)


def from_plain(hint: Any, value: Any, hooks: Hooks, name: str = "") -> Any:
    """The value of a type. Raises: CallInvalid, which names the place."""
    try:
        return _built(hint, value, hooks, name)
    except RecursionError:
        raise CallInvalid(name=name.partition(".")[0], detail="is nested too deeply") from None


def _built(hint: Any, value: Any, hooks: Hooks, name: str) -> Any:
    if hint is Any or isinstance(hint, TypeVar):
        return value
    if hint in hooks.build:
        return hooks.build[hint](value)
    if isinstance(value, dict) and not value.keys().isdisjoint((ARRAY, TABLE, COLUMNS)):
        return _bulk(value, hooks, name)
    origin, parameters = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_of(parameters, value, hooks, name)
    if origin is Literal:
        if value in parameters:
            return value
        raise CallInvalid(name=name, detail=f"expected one of {', '.join(map(repr, parameters))}")
    if origin is tuple:
        return _tuple(parameters, value, hooks, name)
    kind = origin or hint
    if kind in _LISTS or kind in (set, frozenset, abc.Set):
        item = parameters[0] if parameters else Any
        items = [
            _built(item, one, hooks, f"{name}.{at}") for at, one in enumerate(_checked(list, value, name))
        ]
        return items if kind in _LISTS else frozenset(items) if kind is not set else set(items)
    if kind in (dict, abc.Mapping) or is_typeddict(kind):
        return _mapping(kind, parameters, value, hooks, name)
    return _single(kind, value, hooks, name)


def _single(kind: Any, value: Any, hooks: Hooks, name: str) -> Any:
    """A value of a type without parameters."""
    if kind in (None, NoneType):
        return _checked(NoneType, value, name)
    if kind is int:
        return value if type(value) is int else _refused("int", value, name)
    if kind is float:
        return float(value) if type(value) in (int, float) else _refused("float", value, name)
    if kind in _PLAIN:
        return _checked(kind, value, name)
    if not isinstance(kind, type):
        raise CallInvalid(name=name, detail=f"cannot travel as {kind}")
    if issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            return _refused(kind.__name__, value, name)
    if kind is timedelta:
        seconds = _built(float, value, hooks, name)
        return timedelta(seconds=seconds) if math.isfinite(seconds) else _refused("seconds", value, name)
    if kind in (date, datetime):
        try:
            return kind.fromisoformat(_checked(str, value, name))
        except ValueError:
            return _refused("a date", value, name)
    if kind is object:
        return value
    if hasattr(kind, "model_validate"):
        try:
            return kind.model_validate(value)
        except ValueError as error:
            raise CallInvalid(name=name, detail=str(error)[:400]) from None
    return _dataclass(kind, value, hooks, name)


def _one_of(parameters: tuple[Any, ...], value: Any, hooks: Hooks, name: str) -> Any:
    if isinstance(value, list) and any("numpy" in getattr(kind, "__module__", "") for kind in parameters):
        return _numbers(value, name)
    problem: CallInvalid | None = None
    for parameter in parameters:
        try:
            return _built(parameter, value, hooks, name)
        except CallInvalid as error:
            # of several classes, the complaint of the one that was meant says most
            if problem is None or error.fields["name"] != name:
                problem = error
    raise problem or CallInvalid(name=name, detail="has no type")


def _tuple(parameters: tuple[Any, ...], value: Any, hooks: Hooks, name: str) -> tuple[Any, ...]:
    items = _checked(list, value, name)
    if len(parameters) == 2 and parameters[1] is Ellipsis:
        parameters = (parameters[0],) * len(items)
    if len(parameters) != len(items):
        raise CallInvalid(name=name, detail=f"expected {len(parameters)} values, got {len(items)}")
    pairs = enumerate(zip(parameters, items, strict=True))
    return tuple(_built(parameter, item, hooks, f"{name}.{at}") for at, (parameter, item) in pairs)


def _mapping(
    kind: Any, parameters: tuple[Any, ...], value: Any, hooks: Hooks, name: str
) -> Mapping[Any, Any]:
    items = _checked(dict, value, name)
    if is_typeddict(kind):
        hints = _hints(kind)
        return {key: _built(hints.get(key, Any), item, hooks, f"{name}.{key}") for key, item in items.items()}
    of_key, of_item = parameters or (Any, Any)
    return {
        _built(of_key, key, hooks, name): _built(of_item, item, hooks, f"{name}.{key}")
        for key, item in items.items()
    }


def _dataclass(kind: type, value: Any, hooks: Hooks, name: str) -> Any:
    """A dataclass, of the class that the value names: the one of the type or a subclass."""
    items = dict(_checked(dict, value, name))
    wanted = items.pop(CLASS, kind.__name__)
    built = next((one for one in _with_subclasses(kind) if one.__name__ == wanted), None)
    if built is None or not dataclasses.is_dataclass(built):
        raise CallInvalid(name=name, detail=f"expected {kind.__name__}, got {str(wanted)[:80]!r}")
    hints = _hints(built)
    known = {field.name for field in dataclasses.fields(built) if field.init}
    values = {
        key: _built(hints[key], item, hooks, f"{name}.{key}") for key, item in items.items() if key in known
    }
    try:
        return built(**values)
    except TypeError as error:
        raise CallInvalid(name=name, detail=str(error)) from None


def _with_subclasses(kind: type) -> list[type]:
    """A class and all below it; not what `slots=True` replaced by a class of the same name."""
    classes: list[type] = [kind]
    for one in classes:
        below: type
        for below in one.__subclasses__():
            if below not in classes and _is_current(below):
                classes.append(below)
    return classes


def _is_current(kind: type) -> bool:
    return vars(sys.modules[kind.__module__]).get(kind.__name__) is kind


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _checked(kind: Any, value: Any, name: str) -> Any:
    return value if isinstance(value, kind) else _refused(kind.__name__, value, name)


def _refused(wanted: str, value: Any, name: str) -> Any:
    raise CallInvalid(name=name, detail=f"expected {wanted}, got {type(value).__name__}")


# ---- arrays and tables


def _bulk_to_plain(value: Any, hooks: Hooks) -> Any:
    numpy, arrow = sys.modules.get("numpy"), sys.modules.get("pyarrow")
    if numpy is not None and isinstance(value, numpy.generic):
        return value.item()
    if numpy is not None and isinstance(value, numpy.ndarray):
        if value.dtype.kind not in _NUMBERS:
            return to_plain(value.tolist(), hooks)
        return {ARRAY: value.dtype.str, "shape": list(value.shape), "data": value.tobytes()}
    if arrow is not None and isinstance(value, arrow.Table):
        if not hooks.arrow:
            columns = [column.to_pylist() for column in value.columns]
            return {COLUMNS: columns, "schema": value.schema.serialize().to_pybytes()}
        sink = arrow.BufferOutputStream()
        with arrow.ipc.new_stream(sink, value.schema) as writer:
            writer.write_table(value)
        return {TABLE: sink.getvalue().to_pybytes()}
    raise TypeError(f"{type(value).__name__} cannot travel")


def _numbers(value: list[Any], name: str) -> Any:
    """A list of numbers, or of such lists, as an array. Raises: CallInvalid."""
    import numpy as np

    try:
        array = np.asarray(value)
    except (ValueError, OverflowError) as error:
        raise CallInvalid(name=name, detail=str(error)) from None
    return array if array.dtype.kind in _NUMBERS else _refused("numbers", value, name)


def _bulk(value: dict[str, Any], hooks: Hooks, name: str) -> Any:
    """An array or a table. Raises: CallInvalid."""
    import numpy as np  # few calls hold arrays, and commands start without them
    import pyarrow as pa

    try:
        if ARRAY in value:
            dtype = np.dtype(_checked(str, value[ARRAY], name))
            if dtype.kind not in _NUMBERS:
                raise CallInvalid(name=name, detail=f"arrays hold numbers, not {dtype}")
            shape = [_built(int, n, Hooks(), name) for n in _checked(list, value["shape"], name)]
            return np.frombuffer(_checked(bytes, value["data"], name), dtype).reshape(shape).copy()
        if COLUMNS in value:
            schema = pa.ipc.read_schema(pa.py_buffer(_checked(bytes, value["schema"], name)))
            columns = _checked(list, value[COLUMNS], name)
            arrays = [pa.array(column, type=kind) for column, kind in zip(columns, schema.types, strict=True)]
            return pa.table(arrays, schema=schema)
        if not hooks.arrow:
            raise CallInvalid(name=name, detail="tables are sent as columns")
        with pa.ipc.open_stream(pa.py_buffer(_checked(bytes, value[TABLE], name))) as reader:
            return reader.read_all()
    except (ValueError, TypeError, KeyError, OverflowError, pa.ArrowException) as error:
        if isinstance(error, CallInvalid):
            raise
        raise CallInvalid(name=name, detail=f"is not an array or table: {error}") from None

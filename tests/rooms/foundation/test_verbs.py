"""How calls and answers travel: values by their types, frames in pieces, errors with their class."""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import calotype as ct
from calotype.app import server  # noqa: F401 - registers every verb
from calotype.datasets.query import parse
from calotype.datasets.refs import DatasetNotFound
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.errors import CalotypeError
from calotype.foundation.verbs import SERVERS_OWN, VERBS
from calotype.foundation.verbs.frames import (
    AnswerUnreadable,
    ErrorElsewhere,
    error_from_plain,
    error_to_plain,
    frame,
    frames,
)
from calotype.foundation.verbs.values import CallInvalid, Hooks, from_plain, to_plain

HERE, THERE = Hooks(), Hooks(arrow=True)


class Colour(enum.StrEnum):
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Point:
    x: float
    tags: tuple[str, ...] = ()
    colour: Colour | None = None
    seen: Mapping[int, list[bool]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Far(Point):
    distance: int = 0


@dataclasses.dataclass(frozen=True)
class Other:
    y: str


def travelled(hint: Any, value: Any, to: Hooks = HERE, back: Hooks = HERE) -> Any:
    """A value after its way over the wire."""
    return from_plain(hint, msgspec.msgpack.decode(msgspec.msgpack.encode(to_plain(value, to))), back, "it")


points = st.builds(
    Point,
    st.floats(allow_nan=False),
    st.lists(st.text()).map(tuple),
    st.sampled_from([None, Colour.RED]),
    st.dictionaries(st.integers(-5, 5), st.lists(st.booleans())),
)


@given(st.lists(points))
def test_dataclasses_come_back_equal(some):
    assert travelled(Sequence[Point], some) == some


def test_the_class_travels_where_a_type_names_several():
    for value in (Far(1.0, distance=3), Other("z"), Point(2.0)):
        assert travelled(Point | Other, value) == value
        assert type(travelled(Point | Other, value)) is type(value)


@pytest.mark.parametrize(
    "text",
    ['class = "car"', 'a = 1 and not (b > 2.5 or c in ("x", "y"))', "count(car) >= 3", "light is missing"],
)
def test_queries_travel_as_expressions(text):
    query = parse(text)
    assert travelled(Where, query) == query
    assert travelled(Where, text) == text


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i8", "|u1", "|b1", "<c8"])
def test_arrays_of_numbers_come_back_equal(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    back = travelled(np.ndarray, array)
    assert (back.dtype, back.flags.writeable) == (array.dtype, True)
    np.testing.assert_array_equal(back, array)


def test_tables_travel_in_both_forms():
    table = pa.table({"id": ["a", None], "box": [[1.0, 2.0], None], "n": pa.array([1, 2], pa.int16())})
    assert travelled(pa.Table, table, HERE, HERE).equals(table)
    assert travelled(pa.Table, table, THERE, THERE).equals(table)
    with pytest.raises(CallInvalid):  # its buffers could be compressed without a limit
        travelled(pa.Table, table, THERE, HERE)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, True),
        (int, 1.0),
        (float, "1"),
        (str, 1),
        (bool, 1),
        (Colour, "blue"),
        (Literal["a"], "b"),
        (tuple[int, int], [1]),
        (list[int], ["a"]),
        (Mapping[str, int], {"a": "b"}),
        (Point, {"$": "Other", "y": "z"}),
        (Point, {"$": "CalotypeError"}),
        (Point, {"tags": ["a"]}),
        (Point, {"x": 1.0, "tags": "ab"}),
        (Point | None, 5),
        (Snapshot, {}),
        (np.ndarray, {"$array": "<f4", "shape": [2], "data": b"123"}),
        (np.ndarray, {"$array": "<f4", "shape": [-1, "a"], "data": b"1234"}),
        (pa.Table, {"$columns": [[1]], "schema": b"no schema"}),
    ],
)
def test_what_has_another_type_is_refused_with_its_place(hint, value):
    with pytest.raises(CallInvalid) as refused:
        from_plain(hint, value, HERE, "it")
    assert str(refused.value.fields["name"]).startswith("it")


def test_nesting_has_an_end():
    deep: Any = {"$": "Not", "part": None}
    for _ in range(5_000):
        deep = {"$": "Not", "part": deep}
    with pytest.raises(CallInvalid):
        from_plain(Where, deep, HERE, "where")


def test_every_parameter_and_result_has_a_type_that_travels():
    """The leaves of all types: values that are packed themselves, or by a hook of the client or the server."""
    unknown = [
        f"{verb.name}.{name}: {leaf}"
        for verb in VERBS.values()
        if not verb.here
        for name, hint in verb.hints.items()
        if name not in SERVERS_OWN
        for leaf in _leaves(hint, set())
        if not _travels(leaf)
    ]
    assert unknown == []
    assert len(VERBS) > 100


def _leaves(hint: Any, seen: set[Any]) -> typing.Iterator[Any]:
    parameters = [part for part in typing.get_args(hint) if part is not Ellipsis]
    if typing.get_origin(hint) is Literal or hint in seen:
        return
    if parameters and typing.get_origin(hint) is not np.ndarray:
        for part in parameters:
            yield from _leaves(part, seen)
    elif dataclasses.is_dataclass(hint) and isinstance(hint, type):
        seen.add(hint)
        types = typing.get_type_hints(hint)
        for field in dataclasses.fields(hint):
            yield from _leaves(types[field.name], seen)
    elif hint is Snapshot:  # described by the server, and built by the client
        yield hint
    elif isinstance(hint, type) and hint.__module__.startswith("calotype") and hint.__subclasses__():
        inner: list[Any] = hint.__subclasses__()
        for kind in inner:
            yield from _leaves(kind, seen)
    else:
        yield typing.get_origin(hint) or hint


def _is_ours(kind: Any) -> bool:
    return str(kind.__module__).startswith("calotype.")


def _travels(leaf: Any) -> bool:
    if leaf in (None, typing.Any, object, pa.Table, Snapshot) or isinstance(leaf, typing.TypeVar):
        return True
    if "numpy" in getattr(leaf, "__module__", "") or hasattr(leaf, "model_validate"):
        return True
    if typing.is_typeddict(leaf):
        return True
    plain = (bool, int, float, complex, str, bytes, type(None), enum.Enum)
    return isinstance(leaf, type) and (
        issubclass(leaf, plain) or leaf.__name__ in {"Path", "date", "datetime"}
    )


class TestFrames:
    @given(
        st.lists(st.dictionaries(st.text(), st.binary() | st.integers(0, 9)), max_size=5), st.integers(1, 7)
    )
    def test_come_whole_out_of_any_pieces(self, values, size):
        stream = b"".join(map(frame, values))
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert list(frames(pieces, "s")) == values

    @pytest.mark.parametrize(
        "stream", [b"\x00", frame({})[:-1], b"\xff" * 8, frame([1]), b"\x00\x00\x00\x01\xc1"]
    )
    def test_what_is_none_is_refused(self, stream):
        with pytest.raises(AnswerUnreadable):
            list(frames([stream], "s"))


class TestErrors:
    def test_come_back_as_their_own_class(self):
        error = DatasetNotFound(name="x", where="there")
        back = error_from_plain(error_to_plain(error))
        assert (type(back), back.to_dict()) == (DatasetNotFound, error.to_dict())

    @pytest.mark.parametrize(
        "change",
        [
            {"module": "os"},
            {"class": "Nothing"},
            {"module": "calotype.nothing"},
            {"fields": {}},
            {"fields": 1},
        ],
    )
    def test_that_are_not_known_here_keep_their_words(self, change):
        plain = error_to_plain(DatasetNotFound(name="x"))
        back = error_from_plain({**plain, **change})
        assert (type(back), back.code, back.message) == (ErrorElsewhere, "dataset-not-found", plain["what"])

    def test_all_of_ours_can_be_rebuilt(self):
        """Every class of errors is a class of a module that a client can import."""
        classes: list[Any] = [CalotypeError]
        for kind in classes:
            classes.extend(filter(_is_ours, kind.__subclasses__()))
        assert len(classes) > 150
        assert all("<locals>" not in kind.__qualname__ for kind in classes)


def test_verbs_with_a_store_run_at_once(tmp_path):
    with ct.open(tmp_path / "ws") as ws:
        assert ws.datasets() == []

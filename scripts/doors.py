"""Which doors each verb has: Python, command line, HTTP, web app, pipeline. Read from the code, not from a list.

A verb is a public function of a room whose first parameter is `actor`: one that a `service.py` defines or lists in its
`__all__`, or one that a door calls. A verb has a door when the code of the door refers to it. `doors.toml` gives the
reason for each missing door; `problems` lists missing reasons and outdated ones.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

REPO = Path(__file__).resolve().parents[1]
REASONS = Path(__file__).with_name("doors.toml")
DOORS = ("Python", "CLI", "HTTP")
"""The doors that every verb has, or a reason for each that it lacks."""
COLUMNS = (*DOORS, "App", "Pipeline")
MAX_SHOWN = 4
API = "/api/v1"
Key = tuple[str, str]
"""Module and qualified name of a function."""

_CALL = re.compile(r'\b(?:call|upload)\(\s*"(\w+)",\s*"(/api/v1[^"]*)"')
_ADDRESS = re.compile(r"`\$\{API\}(/[^`?]*)")
_PARAMETER = re.compile(r"\$?\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
"""A parameter of a path, as FastAPI or as a TypeScript template writes it."""


@dataclass
class Verb:
    """A verb and its doors: column -> what a person types or opens."""

    room: str
    name: str
    doors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """`room.name`, as `doors.toml` writes it."""
        return f"{self.room}.{self.name}"


def verbs() -> list[Verb]:
    """All verbs with their doors, ordered by room and name."""
    known = _service_verbs()
    uses: dict[Key, list[tuple[str, str]]] = {}
    for column, name, targets in _doors():
        for target in targets:
            key = _key(target)
            known.setdefault(key, Verb(_room(target), target.__name__))
            uses.setdefault(key, []).append((column, name))
    for key, verb in known.items():
        for column, name in uses.get(key, ()):
            names = verb.doors.setdefault(column, [])
            if name not in names:
                names.append(name)
    return sorted(known.values(), key=lambda verb: (verb.room, verb.name))


def reasons() -> dict[tuple[str, str], str]:
    """(Verb, door) -> why that door is missing."""
    rows = tomllib.loads(REASONS.read_text("utf-8"))["reason"]
    return {(verb, door): row["because"] for row in rows for verb in row["verbs"] for door in row["doors"]}


def problems() -> list[str]:
    """Missing doors without a reason, and reasons for doors or verbs that exist or that nothing has."""
    listed, known = reasons(), verbs()
    missing = {(verb.label, door) for verb in known for door in DOORS if door not in verb.doors}
    unexplained = [f"{verb}: no {door} door and no reason" for verb, door in sorted(missing - set(listed))]
    return unexplained + [
        f"{verb}: outdated reason for {door}" for verb, door in sorted(set(listed) - missing)
    ]


def footnotes() -> list[str]:
    """The distinct reasons; a cell shows the position of its own, from 1."""
    return list(dict.fromkeys(reasons().values()))


def rows() -> Iterator[tuple[str, ...]]:
    """The rows of the table: verb, then one cell for each column."""
    listed, notes = reasons(), footnotes()
    for verb in verbs():
        cells = []
        for column in COLUMNS:
            reason = listed.get((verb.label, column))
            names = verb.doors.get(column, [])
            more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
            shown = ", ".join(f"`{name}`" for name in names[:MAX_SHOWN]) + more
            cells.append(shown or (f"({notes.index(reason) + 1})" if reason else ""))
        yield (f"`{verb.label}`", *cells)


# ---- verbs


def _service_verbs() -> dict[Key, Verb]:
    package = importlib.import_module("calotype")
    known: dict[Key, Verb] = {}
    for module in pkgutil.walk_packages(package.__path__, "calotype."):
        if not module.name.endswith(".service"):
            continue
        service = importlib.import_module(module.name)
        listed = getattr(service, "__all__", None)
        for name, value in vars(service).items():
            own = name in listed if listed is not None else getattr(value, "__module__", "") == module.name
            if own and _is_verb(value):
                known[_key(value)] = Verb(module.name.split(".")[1], name)
    return known


def _local_names(function: ast.AST) -> set[str]:
    """Parameters and variables of a function; they may share the name of another command."""
    nodes = list(ast.walk(function))
    parameters = {node.arg for node in nodes if isinstance(node, ast.arg)}
    return parameters | {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _is_verb(value: Any) -> bool:
    if not inspect.isfunction(value) or value.__name__.startswith("_"):
        return False
    parts = value.__module__.split(".")
    in_room = parts[0] == "calotype" and len(parts) > 2 and parts[1] not in ("app", "api", "foundation")
    return in_room and next(iter(inspect.signature(value).parameters), "") == "actor"


def _key(function: Callable[..., Any]) -> Key:
    return function.__module__, function.__qualname__


def _room(function: Callable[..., Any]) -> str:
    return function.__module__.split(".")[1]


# ---- doors


def _doors() -> Iterator[tuple[str, str, list[Any]]]:
    """Column, name of the door, and the verbs that its function refers to."""
    sources: dict[str, _Source] = {}

    def targets(function: Any) -> list[Any]:
        module, name = _key(inspect.unwrap(function))
        source = sources.setdefault(module, _Source(module))
        return source.verbs_of(name)

    web = _web_uses()
    for name, function in _commands():
        yield "CLI", f"calotype {name}", targets(function)
    for method, path, function in _routes():
        yield "HTTP", f"{method} {path.replace(':path}', '}')}", targets(function)
        for place in web.get((method, _PARAMETER.sub("{}", path)), ()):
            yield "App", place, targets(function)
    for name, function in _handles():
        yield "Python", name, targets(function)
    stages = importlib.import_module("calotype.pipeline.stages")
    for kind, function in stages._BODIES.items():
        yield "Pipeline", kind.kind, targets(function)


class _Source:
    """The functions of one door module, with the verbs that each refers to, also through its own helpers."""

    def __init__(self, module: str) -> None:
        self.module = importlib.import_module(module)
        self.functions: dict[str, ast.AST] = {}
        tree = ast.parse(inspect.getsource(self.module))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                self.functions |= {
                    f"{node.name}.{m.name}": m for m in node.body if isinstance(m, ast.FunctionDef)
                }

    def verbs_of(self, name: str, seen: frozenset[str] = frozenset()) -> list[Any]:
        targets: list[Any] = []
        function = self.functions.get(name)
        local = _local_names(function) if function is not None else set()
        for node in ast.walk(function) if function is not None else ():
            value = self._value(node)
            if _is_verb(value):
                targets.append(value)
            elif (
                isinstance(node, ast.Name)
                and node.id in self.functions
                and node.id not in seen | local | {name}
            ):
                targets += self.verbs_of(node.id, seen | {name})
        return targets

    def _value(self, node: ast.AST) -> Any:
        """What a name, or a name of an imported module, stands for."""
        if isinstance(node, ast.Name):
            return getattr(self.module, node.id, None)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = getattr(self.module, node.value.id, None)
            return getattr(owner, node.attr, None) if inspect.ismodule(owner) else None
        return None


def _commands() -> Iterator[tuple[str, Any]]:
    import typer

    for name, (place, *_) in importlib.import_module("calotype.app.cli").COMMANDS.items():
        module, _, attribute = place.partition(":")
        target = getattr(importlib.import_module(module), attribute)
        if not isinstance(target, typer.Typer):
            yield name, target
            continue
        if target.registered_callback is not None and target.registered_callback.callback is not None:
            yield name, target.registered_callback.callback
        for command in target.registered_commands:
            assert command.callback is not None
            yield f"{name} {command.name or command.callback.__name__.replace('_', '-')}", command.callback


def _routes() -> Iterator[tuple[str, str, Any]]:
    for router in importlib.import_module("calotype.app.server").ROOMS:
        for route in router.routes:
            for method in sorted(route.methods):
                yield method, route.path, route.endpoint


def _handles() -> Iterator[tuple[str, Any]]:
    package = importlib.import_module("calotype")
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) and value.__module__.startswith("calotype.api"):
            yield from _methods(name, value)


def _methods(name: str, handle: type) -> Iterator[tuple[str, Any]]:
    """The public methods of a handle, and those of the handles that its properties return."""
    for method, function in inspect.getmembers(handle):
        plain = function.fget if isinstance(function, property) else function
        if method.startswith("_"):
            continue
        if isinstance(function, cached_property):
            yield from _methods(f"{name}.{method}", get_type_hints(function.func)["return"])
        elif inspect.isfunction(plain):
            yield f"{name}.{method}", plain


def _web_uses() -> dict[tuple[str, str], list[str]]:
    """(Method, path with empty braces) -> rooms of the web app that call it."""
    uses: dict[tuple[str, str], list[str]] = {}
    web = REPO / "web" / "src"
    for file in sorted(web.rglob("*.ts*")):
        if re.search(r"\.(test|gen)\.", file.name) or "testing" in file.parts:
            continue
        text, parts = file.read_text("utf-8"), file.relative_to(web).parts
        calls = [(method.upper(), path.removeprefix(API)) for method, path in _CALL.findall(text)]
        calls += [("GET", path) for path in _ADDRESS.findall(text)]
        for method, path in calls:
            places = uses.setdefault((method, _PARAMETER.sub("{}", path)), [])
            place = parts[1] if parts[0] == "rooms" else "all pages"
            if place not in places:
                places.append(place)
    return uses

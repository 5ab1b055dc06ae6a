"""Verbs, and where they run: each runs where its data is, on this machine or on the server of a remote workspace.

A verb is a function of a room that takes an `actor` first and an open `store` by keyword. `@verb` registers it under
`room.name`. Called with a store, it runs at once; called with a workspace that is elsewhere, its arguments travel there
(`values`, `frames`), and the same function runs on the server, under the rights of whoever signed in.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, ParamSpec, TypeVar, get_type_hints, overload

from calotype.foundation.errors import Conflict

P = ParamSpec("P")
T = TypeVar("T")
SERVERS_OWN = frozenset(
    {"actor", "store", "progress", "should_stop", "gatekeeper", "splitter", "checks", "ports", "tests"}
)
"""Parameters that never travel: whoever runs the verb gives them."""


class OnlyWhereTheDataIs(Conflict):
    """The verb runs only on the machine of the workspace."""

    code = "only-where-the-data-is"
    what = "`{verb}` cannot run over HTTP: {why}"
    fix = "run it on the machine of the workspace"


@dataclass(frozen=True)
class Verb:
    """A registered verb.

    Args:
        name: `room.function`, such as `datasets.commit`.
        here: Why it runs only on the machine of the workspace; empty where it can be called from anywhere.
    """

    name: str
    function: Callable[..., Any]
    here: str = ""

    @cached_property
    def signature(self) -> inspect.Signature:
        """Its parameters, with types as texts."""
        return inspect.signature(self.function)

    @cached_property
    def hints(self) -> dict[str, Any]:
        """The types of its parameters, and of its result under `return`."""
        return get_type_hints(self.function)

    def arguments(self, args: tuple[Any, ...], options: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name, without those that the server gives itself. Raises: TypeError."""
        bound = self.signature.bind(*args, **options).arguments
        return {name: value for name, value in bound.items() if name not in SERVERS_OWN}


class Elsewhere:
    """A workspace on another machine, which verbs take instead of an open store."""

    def call(self, verb: Verb, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Run a verb where the workspace is.

        Args:
            arguments: What travels, by name.
            options: All keyword arguments of the call, among them what stays, such as `progress`.
        """
        raise NotImplementedError


VERBS: dict[str, Verb] = {}
"""All verbs of the modules that are imported, by name."""


@overload
def verb(function: Callable[P, T]) -> Callable[P, T]: ...
@overload
def verb(*, here: str) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def verb(function: Callable[..., Any] | None = None, *, here: str = "") -> Any:
    """Register a verb, as `@verb` or `@verb(here="why it runs only on the machine of the workspace")`."""
    return _registered(function, here) if function is not None else lambda given: _registered(given, here)


def _registered(function: Callable[..., Any], here: str) -> Callable[..., Any]:
    entry = Verb(f"{function.__module__.split('.')[1]}.{function.__name__}", function, here)
    VERBS[entry.name] = entry

    @wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        store = options.get("store")
        if not isinstance(store, Elsewhere):
            return function(*args, **options)
        if here:
            raise OnlyWhereTheDataIs(verb=entry.name, why=here)
        return store.call(entry, entry.arguments(args, options), options)

    return run

"""The context of the handles: who acts, on which store, and what the application wires in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from calotype.contracts.known import KnownChecks
from calotype.datasets.commits import Commit
from calotype.findings.gatekeeping import Gatekeeper
from calotype.foundation.actor import Actor
from calotype.foundation.progress import Progress, silent
from calotype.release.model import Splitter
from calotype.store import Store

T = TypeVar("T")


class Ports(Protocol):
    """What the application wires in: the gatekeepers, the splitter, the known checks and the server."""

    @property
    def splitter(self) -> Splitter: ...
    def known_checks(self) -> KnownChecks: ...
    def gatekeeper(self, store: Store, on: str = "release") -> Gatekeeper: ...
    def serve(self, store: Store, *, port: int, open_browser: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """The actor of all calls, the open store, what the application wires in, and a callback for progress."""

    actor: Actor
    store: Store
    ports: Ports
    progress: Progress = silent


class DatasetHandle:
    """Base of the handles on one dataset or one of its states; `name` is `dataset` or `dataset@ref`."""

    def __init__(self, context: Context, name: str) -> None:
        self.name = name
        self._context = context

    def _call(self, verb: Callable[..., T], *args: Any, **options: Any) -> T:
        """Call a verb on this dataset."""
        return verb(self._context.actor, self.name, *args, store=self._context.store, **options)


def ref_text(ref: str | Commit) -> str:
    """A ref as the verbs take it: a commit becomes its id."""
    return ref if isinstance(ref, str) else ref.id

"""A remote workspace instead of an open store: verbs that are called with it run on its server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, get_origin

from calotype.acquire import incoming
from calotype.acquire.model import UploadNotFound
from calotype.api.remote import sending, tokens
from calotype.api.remote.connection import Connection
from calotype.api.remote.media import RemoteMedia, cache_folder
from calotype.api.remote.sending import Shipment
from calotype.api.remote.snapshot import RemoteSnapshot
from calotype.browse import states
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import CalotypeError
from calotype.foundation.progress import silent
from calotype.foundation.verbs import Elsewhere, OnlyWhereTheDataIs, Verb
from calotype.foundation.verbs.values import Hooks, from_plain, to_plain
from calotype.transform.recipe import Recipe

SENT: dict[str, Callable[[dict[str, Any]], Shipment]] = {
    "acquire.add": sending.images_of,
    "acquire.import_annotations": sending.labels_of,
}
"""Verbs that read files of the machine that calls them: how the files are collected."""
AGAIN = frozenset(
    {
        "acquire.open_upload",
        "acquire.append_upload",
        "browse.all_rows",
        "browse.annotation_rows",
        "browse.by_class",
        "browse.count",
        "browse.ids",
        "browse.media",
        "browse.sample_rows",
        "contracts.contract",
        "datasets.datasets",
        "datasets.diff",
        "datasets.list_refs",
        "datasets.log",
        "datasets.read",
        "release.get",
        "release.plan",
        "release.releases",
    }
)
"""Verbs that may be called again when a connection broke, because twice is the same as once."""


@dataclass(frozen=True)
class _Anyone:
    """The guard on this side: none, because every verb asks the guard of the server."""

    def require(self, actor: Actor, permission: Permission, **_options: Any) -> None:
        """Nothing; the server decides."""

    def allows(self, actor: Actor, permission: Permission, **_options: Any) -> bool:
        """Yes; the server decides."""
        return True


@dataclass
class _NoCatalog:
    """Stands for the catalog, which is on the server."""

    read_only: str = ""

    def __setattr__(self, name: str, value: Any) -> None:
        if value:
            raise OnlyWhereTheDataIs(verb="--read-only", why="use a token with the scope `read`")
        object.__setattr__(self, name, value)


@dataclass
class RemoteStore(Elsewhere):
    """A workspace on a server.

    Args:
        connection: The server, and who asks.
    """

    connection: Connection
    guard: _Anyone = field(default_factory=_Anyone)
    catalog: _NoCatalog = field(default_factory=_NoCatalog)
    tables: None = None
    media: None = None
    samples_with_findings: None = None

    @property
    def address(self) -> str:
        """The address of the server."""
        return self.connection.address

    @property
    def root(self) -> Path:
        """Raises: OnlyWhereTheDataIs; the folder of the workspace is on another machine."""
        raise OnlyWhereTheDataIs(verb="path", why="the folder is on another machine")

    @cached_property
    def folder(self) -> Path:
        """Where this machine keeps what it fetched."""
        return cache_folder(self.address)

    def call(self, verb: Verb, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """See `Elsewhere.call`. Raises: ServerUnreachable, ConnectionLost, SignInNeeded, and what the verb raises."""
        if options.get("tests") is not None:
            raise OnlyWhereTheDataIs(verb=verb.name, why="tests are code that runs on that machine")
        progress, values = options.get("progress", silent), dict(arguments)
        collect = SENT.get(verb.name)
        shipment = None if collect is None else collect(values)
        upload = None
        if shipment is not None and shipment.files:
            upload = sending.send(shipment, values["name"], self, progress)
        names = {} if shipment is None or upload is None else shipment.names
        path = partial(_sent_path, names, "" if upload is None else upload.id)
        packed = Hooks(pack={Path: path, Recipe: Recipe.to_dict})
        plain = {name: to_plain(value, packed) for name, value in values.items()}
        hint = verb.hints.get("return", Any)
        if get_origin(hint) is Iterator or hint is Iterator:
            return self._items(verb, plain)
        answer = self.connection.call(verb.name, plain, progress=progress, again=verb.name in AGAIN)
        hooks = Hooks(build={Snapshot: partial(RemoteSnapshot.of, store=self), Path: Path}, arrow=True)
        result = from_plain(hint, answer, hooks, "the answer")
        if upload is not None:
            with suppress(UploadNotFound):
                incoming.discard_upload(Actor.nobody(), values["name"], upload.id, store=self)  # type: ignore[arg-type]
        return result if shipment is None else shipment.finish(result)

    def media_of(self, state: RemoteSnapshot) -> RemoteMedia:
        """The images of a state."""
        name = f"{state.dataset.name}@{state.commit_id}" if state.commit_id else state.name
        return RemoteMedia(self.address, self.folder, _Media(self, name))

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def __str__(self) -> str:
        return self.address

    def _items(self, verb: Verb, plain: dict[str, Any]) -> Iterator[Any]:
        yield from self.connection.items(verb.name, plain)


@dataclass(frozen=True)
class _Media:
    """Asks for the images of a state; can be pickled."""

    store: RemoteStore
    name: str

    def __call__(self, keys: list[str]) -> dict[str, bytes]:
        return states.media(Actor.nobody(), self.name, keys, store=self.store)  # type: ignore[arg-type]


def _sent_path(names: Mapping[Path, str], upload: str, path: Path) -> dict[str, str]:
    """How a path of a call is named on the other side. Raises: OnlyWhereTheDataIs."""
    if path not in names:
        raise OnlyWhereTheDataIs(verb="path", why=f"{path} is on this machine")
    return {"upload": upload, "path": names[path]}


def open_remote(address: str, *, token: str = "", purpose: str = "") -> RemoteStore:
    """A workspace on a server, as whoever the token belongs to.

    Args:
        address: `https://host[:port]`.
        token: An API token; by default `CALOTYPE_API_TOKEN`, or the one that `calotype login` kept.
        purpose: What the data is for; the audit trail of the server records it.
    Raises: ServerAddressInvalid, ServerUnreachable, SignInNeeded, TokenFileOpen.
    """
    connection = Connection(address)
    connection = Connection(connection.address, token or tokens.read(connection.address), purpose=purpose)
    try:
        connection.get("/session")
    except CalotypeError:
        connection.close()
        raise
    return RemoteStore(connection)

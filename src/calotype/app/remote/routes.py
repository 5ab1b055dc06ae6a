"""`POST /api/v1/verbs/{verb}`: what remote workspaces call, by the names and types of the verbs themselves.

The route decides nothing. Whoever signed in is the actor, the verb asks the guard as it does at every door, and the
audit trail records the same. Arguments are built by the types of the verb's parameters and nothing else.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from calotype.acquire import incoming
from calotype.app import wiring
from calotype.app.access_trail import AccessTrail, answered
from calotype.browse import states
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Permission
from calotype.foundation.codes import code_of
from calotype.foundation.errors import CalotypeError, External, NotFound
from calotype.foundation.http import Ask, Named, Sent, Session, action, room_routes
from calotype.foundation.os_errors import as_calotype_error
from calotype.foundation.verbs import SERVERS_OWN, VERBS, OnlyWhereTheDataIs, Verb
from calotype.foundation.verbs.frames import (
    KEEP_ALIVE,
    MEDIA_TYPE,
    AnswerUnreadable,
    error_to_plain,
    frame,
    unpacked,
)
from calotype.foundation.verbs.values import CallInvalid, Hooks, from_plain, to_plain
from calotype.reliability import service as reliability

routes = room_routes("verbs")

PACKED = "application/msgpack"
WITHOUT_ROUTES = (incoming, states, reliability)
"""Modules that no route of a room imports; here, so that their verbs are known."""
MAX_CALL_BYTES = 32_000_000
MAX_RUNNING = 64
KEEP_ALIVE_S = 10.0
_PROGRESS_S = 0.1
_WAITING = 16
"""Frames that may wait for a slow client before the verb waits, too."""
_running = threading.BoundedSemaphore(MAX_RUNNING)


class ServerBusy(External):
    """As many verbs run as the server runs at once."""

    code = "server-busy"
    what = "the server runs {limit} calls, which is as many as it runs at once"
    fix = "try again in a moment"


class VerbUnknown(NotFound):
    """The server has no verb of this name that can be called over HTTP."""

    code = "verb-unknown"
    what = "this server has no verb {name!r}"
    fix = "use a client of the same version as the server"


@routes.post(
    "/verbs/{verb}",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
    **action(Permission.ACCOUNT_OWN, body=PACKED, max_body_bytes=MAX_CALL_BYTES),
)
async def call_verb(verb: Named, ask: Ask, sent: Sent, request: Request) -> Response:
    """Run a verb; its parameters decide what the packed body holds, its own guard who may. Answers frames."""
    try:
        entry = _verb(verb)
        body = await asyncio.to_thread(b"".join, sent)
        run = await asyncio.to_thread(_prepared, entry, body, ask)
        call = _Call(run)
        first = await asyncio.to_thread(call.first)
    except CalotypeError as error:
        error = await asyncio.to_thread(answered, request, error)
        return Response(
            frame({"error": error_to_plain(error)}),
            status_code=code_of(error.code).status,
            media_type=MEDIA_TYPE,
        )
    trail: AccessTrail | None = request.app.state.trail
    if trail is not None and entry.name in _READING:
        await asyncio.to_thread(trail.reading, ask.actor, _address(run.arguments))
    return StreamingResponse(call.frames(first), media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})


_READING = frozenset(
    {
        "datasets.read",
        *(
            f"browse.{verb.__name__}"
            for verb in (states.sample_rows, states.annotation_rows, states.all_rows, states.media)
        ),
    }
)
"""Verbs that read what a dataset holds; the audit trail names who did, as for pages."""


def _address(arguments: dict[str, Any]) -> str:
    dataset = str(arguments.get("name", "")).partition("@")[0]
    return f"/api/v1/datasets/{quote(dataset, safe='')}"


def _verb(name: str) -> Verb:
    """Raises: VerbUnknown, OnlyWhereTheDataIs."""
    entry = VERBS.get(name)
    if entry is None:
        raise VerbUnknown(name=name[:100])
    if entry.here:
        raise OnlyWhereTheDataIs(verb=entry.name, why=entry.here)
    return entry


class _Run:
    """A verb with its arguments, ready to run."""

    def __init__(self, verb: Verb, arguments: dict[str, Any], session: Session) -> None:
        self.verb, self.arguments, self.session = verb, arguments, session

    def __call__(self, progress: Callable[[str, int, int], None]) -> Any:
        own = _given_by_the_server(self.verb, self.session, progress)
        return self.verb.function(actor=self.session.actor, store=self.session.store, **self.arguments, **own)


def _prepared(verb: Verb, body: bytes, session: Session) -> _Run:
    """Raises: CallInvalid, UploadNotFound."""
    try:
        sent = unpacked(body, "the call")
    except AnswerUnreadable as error:  # a mistake of the client, not a failure of the server
        raise CallInvalid(name=verb.name, detail=str(error.fields["detail"])) from None
    if not isinstance(sent, dict):
        raise CallInvalid(name=verb.name, detail="the body is not a mapping")
    parameters = verb.signature.parameters
    takes_files = verb.name in _TAKING_FILES
    hooks = Hooks(build=incoming.hooks(session.actor, session.store) if takes_files else {})
    arguments = {}
    for name, value in sent.items():
        if not isinstance(name, str) or name not in parameters or name in SERVERS_OWN:
            raise CallInvalid(name=verb.name, detail=f"has no parameter {str(name)[:80]!r}")
        arguments[name] = from_plain(verb.hints[name], value, hooks, name)
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in SERVERS_OWN and name not in arguments:
            raise CallInvalid(name=verb.name, detail=f"needs the parameter {name!r}")
    if takes_files:
        _check_files(verb, arguments)
    if str(arguments.get("model", "")).endswith(".onnx"):
        raise OnlyWhereTheDataIs(verb=verb.name, why="a model file is loaded from the disk of that machine")
    return _Run(verb, arguments, session)


_TAKING_FILES = frozenset({"acquire.add", "acquire.import_annotations"})
"""Verbs that read files: over HTTP only files of uploads, which are gone after the call."""


def _check_files(verb: Verb, arguments: dict[str, Any]) -> None:
    """Refuse texts that name places of the server, and media that stay where they are. Raises: CallInvalid."""
    if not all(isinstance(path, Path) for path in arguments.get("paths", ())):
        raise CallInvalid(name=f"{verb.name}.paths", detail="files of the server cannot be named; send them")
    options = arguments.get("options")
    if options is not None and options.media != "copy":
        raise CallInvalid(name=f"{verb.name}.media", detail="the files of an upload can only be copied")


def _given_by_the_server(verb: Verb, session: Session, progress: Any) -> dict[str, Any]:
    """What a verb takes from its surroundings; never from a client."""
    room = verb.name.partition(".")[0]
    known: dict[str, Callable[[], Any]] = {
        "progress": lambda: progress,
        "gatekeeper": lambda: wiring.gatekeeper(session.store, "merge" if room == "versions" else "release"),
        "splitter": lambda: wiring.splitter,
        "checks": wiring.known_checks,
    }
    return {name: give() for name, give in known.items() if name in verb.signature.parameters}


def _snapshot_to_plain(state: Snapshot) -> dict[str, Any]:
    """What a client needs to ask for the rest."""
    dataset = to_plain(state.dataset, Hooks())
    return {
        "dataset": dataset,
        "ref": state.ref,
        "commit_id": state.commit_id,
        "pins": to_plain(state.pins, Hooks()),
        "documents": to_plain(state.documents, Hooks()),
        "bodies": state.bodies,
    }


_PACK = Hooks(pack={Snapshot: _snapshot_to_plain}, arrow=True)


class _Call:
    """A verb that runs in a thread of its own, and the frames that it answers."""

    def __init__(self, run: _Run) -> None:
        """Begin. Raises: ServerBusy."""
        self._run = run
        self._queue: queue.Queue[bytes | CalotypeError | BaseException | None] = queue.Queue(_WAITING)
        self._left = threading.Event()
        self._said = 0.0
        if not _running.acquire(blocking=False):
            raise ServerBusy(limit=MAX_RUNNING)
        threading.Thread(target=self._work, name=f"verb {run.verb.name}", daemon=True).start()

    def first(self) -> bytes:
        """The first frame; a keep-alive if the verb is silent for long. Raises: what the verb raised before it."""
        try:
            item = self._queue.get(timeout=KEEP_ALIVE_S)
        except queue.Empty:
            return KEEP_ALIVE
        if isinstance(item, BaseException):
            raise item
        assert item is not None
        return item

    def frames(self, first: bytes) -> Iterator[bytes]:
        """All frames, from the first one on."""
        yield first
        try:
            while True:
                try:
                    item = self._queue.get(timeout=KEEP_ALIVE_S)
                except queue.Empty:
                    yield KEEP_ALIVE
                    continue
                if item is None:
                    return
                if isinstance(item, CalotypeError):
                    yield frame({"error": error_to_plain(item)})
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._left.set()

    def _work(self) -> None:
        try:
            result = self._run(self._progress)
            if isinstance(result, Iterator):
                for item in result:
                    self._put(frame({"item": to_plain(item, _PACK)}))
                self._put(frame({"result": None}))
            else:
                self._put(frame({"result": to_plain(result, _PACK)}))
        except CalotypeError as error:  # some are also OSErrors
            self._put(error)
        except OSError as error:
            self._put(as_calotype_error(error))
        except BaseException as error:
            self._put(error)
        finally:
            self._put(None)
            _running.release()

    def _progress(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said >= _PROGRESS_S or done == total:
            self._said = now
            self._put(frame({"progress": [what, done, total]}))

    def _put(self, item: bytes | BaseException | None) -> None:
        """Wait for a slow client, but not for one that left: what was asked for is done all the same."""
        while not self._left.is_set():
            try:
                self._queue.put(item, timeout=1.0)
                return
            except queue.Full:
                continue

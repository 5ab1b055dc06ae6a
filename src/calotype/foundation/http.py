"""Shared code of the HTTP routes: sessions, request bodies, and errors as problem+json.

Every route declares the permission that it requires with `action(...)`; a test checks that none is missing. Errors are
problem+json (RFC 9457) with the same four fields as at every door.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from calotype.foundation import json_limits
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.answers import Answer
from calotype.foundation.codes import code_of
from calotype.foundation.errors import CalotypeError, NotPermitted
from calotype.foundation.event_streams import EventStreams

PROBLEM = "application/problem+json"
BINARY = "application/octet-stream"
EVENTS = "text/event-stream"
END_STREAM = "end_stream"
"""Key in the state of a request whose answer has no end: what ends it, for a server that shuts down."""
SHUTTING_DOWN = "shutting_down"
"""Key in the state of a request: the server shuts down, and an answer without an end must not begin."""
MAX_BODY_BYTES = 2_000_000
"""Limit of a body whose route declares no other; `app.limits` enforces it before authentication."""
BODY_LIMIT = "x-calotype-max-body-bytes"
_IN_MEMORY_BYTES = 256_000
_CHUNK_BYTES = 1_000_000
_BYTES = {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class Session:
    """The actor of a request, the open store and the ports (`Any`, because this floor knows no stores)."""

    actor: Actor
    store: Any
    ports: Any
    session_id: str = ""


def session(request: Request) -> Session:
    """The session that the authentication middleware has put into the request."""
    current: Session = request.state.session
    return current


Ask = Annotated[Session, Depends(session)]


async def sent(request: Request) -> AsyncIterator[Iterator[bytes]]:
    """The raw request body in chunks, spooled to disk; the route declares its limit with `action(...)`."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        async for chunk in request.stream():
            file.write(chunk)
        file.seek(0)
        yield iter(lambda: file.read(_CHUNK_BYTES), b"")


Sent = Annotated[Any, Depends(sent)]
"""An iterator over the chunks of the request body."""

Offset = Annotated[int, Query(ge=0, le=json_limits.EXACT_INT, description="Number of items to skip.")]
Seed = Annotated[int, Field(ge=-json_limits.EXACT_INT, le=json_limits.EXACT_INT)]
Named = Annotated[str, Path(max_length=4_096)]
"""A name or an id in a path."""
Ref = Annotated[
    str,
    Query(
        max_length=200,
        description="A branch, tag or commit, or `BRANCH+` for the working state of a branch; "
        "empty is the working state of main.",
    ),
]
Branch = Annotated[
    str, Query(max_length=200, description="The branch whose working state is changed; empty is main.")
]


class CheckedRoute(APIRoute):
    """A route whose JSON body is held against `json_limits` before any model sees it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, which gets the parsed body with the request."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if self.body_field is not None and _is_json(request):
                body = await request.body()
                if body:
                    request._json = json_limits.parse(body)  # what `request.json()` will return
            return await handle(request)

        return checked


def room_routes(tag: str) -> APIRouter:
    """The router of a room."""
    return APIRouter(tags=[tag], route_class=CheckedRoute)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def one_of(values: Iterable[str], description: str) -> Any:
    """A query parameter with one of these values. OpenAPI lists them; the verb rejects others."""
    return Query(description=description, json_schema_extra={"enum": list(values)})


class Problem(Answer):
    """An error (RFC 9457). `code` stays the same between releases."""

    type: str = Field(description="`urn:calotype:error:` and the code.")
    title: str = Field(description="The code in words.")
    status: int = Field(description="The HTTP status of this answer.")
    code: str = Field(description="Stable name of the error, such as `dataset-not-found`.")
    detail: str = Field(description="What happened.")
    where: str = Field(description="Where it happened; may be empty.")
    fix: str = Field(description="How to fix it; may be empty.")
    action: str | None = Field(
        default=None, description="Where a permission is missing: the action, as `GET /access/why` takes it."
    )
    resource: str | None = Field(
        default=None,
        description="Where a permission is missing: the resource, as `GET /access/why` takes it.",
    )


def action(
    permission: Permission, *, body: str | None = None, max_body_bytes: int | None = None
) -> dict[str, Any]:
    """Keyword arguments for a route: the permission it needs, shown in OpenAPI and checked by a test.

    Args:
        body: Media type of the raw body, for routes that read it as a stream (`Sent`).
        max_body_bytes: Limit of the body; `MAX_BODY_BYTES` where it is None.
    """
    extra: dict[str, Any] = {"x-calotype-action": str(permission)}
    if max_body_bytes is not None:
        extra[BODY_LIMIT] = max_body_bytes
    if body is not None:
        extra["requestBody"] = {"required": True, "content": {body: {"schema": _BYTES}}}
    return {"openapi_extra": extra, "response_model_exclude_unset": True}


def packed_answer(model: type[BaseModel], *, status: int = 200) -> dict[str, Any]:
    """The `responses` of a route that answers `packed(...)` bytes: OpenAPI shows the model, nothing validates it."""
    return {"responses": {status: {"model": model}}}


def file_answer(*media_types: str, text: bool = False) -> dict[str, Any]:
    """The `responses` of a route that answers bytes of one of these media types."""
    schema = {"type": "string"} if text else _BYTES
    return {"responses": {200: {"content": {kind: {"schema": schema} for kind in media_types}}}}


def wants_events(request: Request) -> bool:
    """Whether the client asks for a stream of events."""
    return EVENTS in request.headers.get("accept", "")


def events_answer() -> dict[str, Any]:
    """The `responses` of a route that answers its model once or, if asked, a stream of events with it (`Events`)."""
    described = "With `Accept: text/event-stream`, the answer again whenever it changes, as events."
    content = {EVENTS: {"schema": {"type": "string", "description": described}}}
    return {"responses": {200: {"content": content}}}


class Events(StreamingResponse):
    """A value whenever it changes, as server-sent events, until the client leaves or the server shuts down.

    Args:
        name: The verb and the actor; requests with an equal name share what `ask` returns.
        ask: Returns the value as one line of JSON; called in a thread.
    """

    def __init__(self, request: Request, name: Hashable, ask: Callable[[], bytes]) -> None:
        super().__init__((), media_type=EVENTS, headers={"x-accel-buffering": "no"})
        self._streams: EventStreams = request.app.state.event_streams
        self._name, self._ask = name, ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events. Raises: EventStreamsTaken."""
        with self._streams.open(self._name, self._ask) as stream:
            self.body_iterator = stream.events()
            state = scope.setdefault("state", {})
            state[END_STREAM] = stream.end
            if SHUTTING_DOWN in state:  # since the request came, and before there was a stream to end
                stream.end()
            await super().__call__(scope, receive, send)


def packed(value: Any) -> Response:
    """A value encoded as JSON directly, for lists where one model per row would cost more than the query.

    The route declares the model with `packed_answer(...)`; tests validate the bytes against it.
    """
    return Response(msgspec.json.encode(value), media_type="application/json")


def problem(error: CalotypeError) -> JSONResponse:
    """An error as problem+json."""
    status = code_of(error.code).status
    body = error.to_dict()
    body |= {
        "type": f"urn:calotype:error:{error.code}",
        "title": error.code.replace("-", " "),
        "status": status,
    }
    body["detail"] = body.pop("what")
    if isinstance(error, NotPermitted):
        body |= error.question()
    return JSONResponse(body, status_code=status, media_type=PROBLEM)


def plain_problem(status: int, code: str, detail: str, fix: str = "", *, where: str = "") -> JSONResponse:
    """A problem that is not an error of a verb, such as not signed in."""
    body = {
        "type": f"urn:calotype:error:{code}",
        "title": code.replace("-", " "),
        "status": status,
        "code": code,
    }
    return JSONResponse(
        {**body, "detail": detail, "where": where, "fix": fix}, status_code=status, media_type=PROBLEM
    )

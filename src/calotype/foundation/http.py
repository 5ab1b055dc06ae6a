"""Shared code of the HTTP routes: sessions, request bodies, and errors as problem+json.

Every route declares the permission that it requires with `action(...)`; a test checks that none is missing. Errors are
problem+json (RFC 9457) with the same four fields as at every door.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.answers import Answer
from calotype.foundation.codes import code_of
from calotype.foundation.errors import CalotypeError, Invalid

PROBLEM = "application/problem+json"
BINARY = "application/octet-stream"
MAX_BODY_BYTES = 1_000_000_000
_IN_MEMORY_BYTES = 8_000_000
_CHUNK_BYTES = 1_000_000
_BYTES = {"type": "string", "format": "binary"}


class BodyTooLarge(Invalid):
    """The request body is too large."""

    code = "body-too-large"
    what = "the request body is larger than {limit_mb} MB"
    fix = "send it in parts, or use the command line where the workspace is"


@dataclass(frozen=True, slots=True)
class Session:
    """The actor of a request, the open store and the ports (`Any`, because this floor knows no stores)."""

    actor: Actor
    store: Any
    ports: Any


def session(request: Request) -> Session:
    """The session that the authentication middleware has put into the request."""
    current: Session = request.state.session
    return current


Ask = Annotated[Session, Depends(session)]


async def sent(request: Request) -> AsyncIterator[Iterator[bytes]]:
    """The raw request body in chunks, spooled to disk, up to a limit."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        n_bytes = 0
        async for chunk in request.stream():
            n_bytes += len(chunk)
            if n_bytes > MAX_BODY_BYTES:
                raise BodyTooLarge(limit_mb=MAX_BODY_BYTES // 1_000_000)
            file.write(chunk)
        file.seek(0)
        yield iter(lambda: file.read(_CHUNK_BYTES), b"")


Sent = Annotated[Any, Depends(sent)]
"""An iterator over the chunks of the request body."""

Offset = Annotated[int, Query(ge=0, description="Number of items to skip.")]


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


def action(permission: Permission, *, body: str | None = None) -> dict[str, Any]:
    """Keyword arguments for a route: the permission it needs, shown in OpenAPI and checked by a test.

    Args:
        body: Media type of the raw body, for routes that read it as a stream (`Sent`).
    """
    extra: dict[str, Any] = {"x-calotype-action": str(permission)}
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

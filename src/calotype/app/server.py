"""The HTTP door: every room's routes below /api/v1, the pages of the app beside them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect

import calotype
from calotype.acquire.labels.routes import routes as labels
from calotype.acquire.routes import routes as acquire
from calotype.annotate.routes import routes as annotate
from calotype.app import answers, wiring
from calotype.app.access_trail import AccessTrail, answered
from calotype.app.account_routes import routes as accounts
from calotype.app.limits import AT_ONCE, BodyLimits, LimitsMiddleware, Pace
from calotype.app.observing import METRICS_TYPE, Metrics, ObservingMiddleware
from calotype.app.provider_routes import routes as oidc
from calotype.app.remote.routes import routes as verbs
from calotype.app.sessions import (
    LOOPBACK,
    AccessKeys,
    AuthMiddleware,
    Keys,
    SecurityHeadersMiddleware,
    not_signed_in,
)
from calotype.browse.routes import routes as browse
from calotype.browse.views.routes import routes as views
from calotype.checks.routes import routes as checks
from calotype.contracts.routes import routes as contracts
from calotype.curate.routes import routes as curate
from calotype.datasets.routes import routes as datasets
from calotype.findings.routes import routes as findings
from calotype.foundation.actor import WORKSPACE, Permission
from calotype.foundation.errors import CalotypeError
from calotype.foundation.event_streams import EventStreams
from calotype.foundation.http import (
    BODY_LIMIT,
    MAX_BODY_BYTES,
    PROBLEM,
    Ask,
    Problem,
    action,
    file_answer,
    plain_problem,
    problem,
    room_routes,
)
from calotype.foundation.os_errors import StorageFailed, reason_and_fix
from calotype.govern.routes import routes as govern
from calotype.guidelines.precedents.routes import routes as precedents
from calotype.guidelines.routes import routes as guidelines
from calotype.labelling.routes import routes as labelling
from calotype.maturity.routes import routes as maturity
from calotype.people.oversight.routes import routes as oversight
from calotype.people.routes import routes as people
from calotype.pipeline.routes import routes as pipeline
from calotype.release.routes import routes as release
from calotype.reviews.routes import routes as reviews
from calotype.staffing.routes import routes as staffing
from calotype.store import Store
from calotype.store.tables.memory import release_memory
from calotype.transform.routes import routes as transform
from calotype.versions.routes import routes as versions

ROOMS = (
    datasets,
    browse,
    views,
    versions,
    annotate,
    labelling,
    reviews,
    staffing,
    acquire,
    labels,
    contracts,
    guidelines,
    precedents,
    checks,
    findings,
    release,
    transform,
    curate,
    pipeline,
    govern,
    maturity,
    people,
    oversight,
    accounts,
    verbs,
    oidc,
)
RELEASE_MEMORY_S = 15.0
STATIC = Path(__file__).parent / "static"
API = "/api/v1"

door = room_routes("session")


class Token(BaseModel):
    """The token of the link."""

    token: str = Field(max_length=200)


@door.get("/health", **action(Permission.DATASET_READ))
def health(request: Request) -> answers.Health:
    """Whether the server is up; needs nobody signed in."""
    keys: Keys = request.app.state.keys
    return answers.Health(
        status="ok", version=calotype.__version__, accounts=keys.accounts, provider=keys.provider_name
    )


@door.get("/session", **action(Permission.ACCOUNT_OWN))
def show_session(ask: Ask, request: Request) -> answers.Session:
    """Who asks, and which workspace answers."""
    roles = {*ask.actor.roles, *(grant.role for grant in ask.actor.grants if grant.dataset is None)}
    return answers.Session(
        actor=answers.SignedIn(id=ask.actor.id, name=ask.actor.name, roles=sorted(roles)),
        workspace=answers.Workspace(name=ask.store.root.name),
        version=calotype.__version__,
        accounts=request.app.state.keys.accounts,
        may=_of_use(ask),
    )


def _of_use(ask: Ask) -> list[Any]:
    """The pages of the workspace that answer to this actor."""
    guard, places = ask.store.guard, {grant.dataset or WORKSPACE for grant in ask.actor.grants} | {WORKSPACE}
    allowed = {
        Permission.PEOPLE_READ: guard.allows(ask.actor, Permission.PEOPLE_READ),
        Permission.AUDIT_READ: any(
            guard.allows(ask.actor, Permission.AUDIT_READ, dataset=place) for place in places
        ),
    }
    return [str(permission) for permission, yes in allowed.items() if yes]


@door.post(
    "/session",
    status_code=204,
    response_class=Response,
    **action(Permission.DATASET_READ, max_body_bytes=10_000),
)
def sign_in(body: Token, request: Request) -> Response:
    """Trade the token for a cookie."""
    keys = request.app.state.keys
    if not isinstance(keys, AccessKeys) or not keys.is_token(body.token.strip()):
        return not_signed_in()
    response = Response(status_code=204)
    keys.set_cookie(response)
    return response


@door.get("/ready", **action(Permission.DATASET_READ))
def ready(request: Request) -> answers.Ready:
    """Whether the server can answer: the catalog can be read. Needs nobody signed in."""
    store: Store = request.state.session.store
    with store.catalog.read() as conn:
        conn.execute(sa.text("SELECT 1"))
    return answers.Ready(status="ready")


@door.get(
    "/metrics",
    response_class=Response,
    **action(Permission.AUDIT_READ),
    **file_answer("text/plain", text=True),
)
def show_metrics(ask: Ask, request: Request) -> Response:
    """Requests, times and memory of this server process, for Prometheus. Needs the scope `audit`."""
    ask.store.guard.require(ask.actor, Permission.AUDIT_READ)
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=METRICS_TYPE)


def make(
    store: Store,
    keys: Keys,
    *,
    hosts: Iterable[str] = LOOPBACK,
    pace: Pace | None = None,
    log: Callable[[dict[str, Any]], None] | None = None,
    at_once: int = AT_ONCE,
) -> FastAPI:
    """The server of a workspace.

    Args:
        hosts: Names that the `Host` header may have (against DNS rebinding); none accepts any.
        pace: How slowly a body may come.
        log: Takes a record of each request.
        at_once: Requests of one person that are answered at the same time, on a server with accounts.
    """
    metrics = Metrics()
    app = _bare(
        [
            Middleware(ObservingMiddleware, prefix=API, metrics=metrics, log=log),
            Middleware(SecurityHeadersMiddleware),
            Middleware(LimitsMiddleware, bodies=BodyLimits((door, *ROOMS), API), pace=pace or Pace()),
            Middleware(GZipMiddleware, minimum_size=10_000, compresslevel=1),
            Middleware(AuthMiddleware, store=store, ports=wiring, keys=keys, hosts=hosts, at_once=at_once),
        ]
    )
    app.state.keys = keys
    app.state.metrics = metrics
    app.state.trail = AccessTrail(store) if keys.accounts else None
    app.state.event_streams = EventStreams()
    return app


def openapi() -> dict[str, Any]:
    """The description of the API, as `/api/v1/openapi.json` serves it."""
    return _bare([]).openapi()


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(32)


class _Api(FastAPI):
    """FastAPI with a description that a client can be generated from."""

    def openapi(self) -> dict[str, Any]:
        """The description: with the model of a problem, and without titles, which only repeat the names."""
        if self.openapi_schema is None:
            described = super().openapi()
            described["components"]["schemas"]["Problem"] = Problem.model_json_schema()
            _drop_titles(described)
            _show_limits(described)
        return super().openapi()


def _show_limits(described: dict[str, Any]) -> None:
    """Name the limit of each body, so that a client can know before it sends."""
    for operation in (operation for path in described["paths"].values() for operation in path.values()):
        if "requestBody" in operation:
            operation.setdefault(BODY_LIMIT, MAX_BODY_BYTES)


def _drop_titles(described: dict[str, Any]) -> None:
    schemas = list(described["components"]["schemas"].values())
    for operation in (operation for path in described["paths"].values() for operation in path.values()):
        schemas += [parameter["schema"] for parameter in operation.get("parameters", ())]
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        schemas += [kind["schema"] for part in contents for kind in part.get("content", {}).values()]
    for schema in schemas:
        for part in (schema, *schema.get("properties", {}).values()):
            part.pop("title", None)


def _bare(middleware: list[Middleware]) -> FastAPI:
    problem_ref = {"$ref": "#/components/schemas/Problem"}
    app = _Api(
        title="Calotype",
        version=calotype.__version__,
        summary="DataOps for computer vision: one workspace over HTTP.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        middleware=middleware,
        lifespan=_release_memory_regularly,
        generate_unique_id_function=lambda route: route.name,
        responses={
            "default": {"description": "A problem (RFC 9457)", "content": {PROBLEM: {"schema": problem_ref}}}
        },
    )
    for room in (door, *ROOMS):
        app.include_router(room, prefix=API)
    _translate_errors(app)
    app.add_api_route("/{path:path}", _page, methods=["GET", "HEAD"], include_in_schema=False)
    return app


@asynccontextmanager
async def _release_memory_regularly(_app: FastAPI) -> AsyncIterator[None]:
    """Return freed memory to the system: the allocator keeps some of it for each thread that ever answered."""

    async def release() -> None:
        while True:
            await asyncio.sleep(RELEASE_MEMORY_S)
            await asyncio.to_thread(release_memory)

    task = asyncio.create_task(release())
    yield
    task.cancel()


def _translate_errors(app: FastAPI) -> None:
    @app.exception_handler(CalotypeError)
    async def ours(request: Request, error: CalotypeError) -> Response:
        return problem(await asyncio.to_thread(answered, request, error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return plain_problem(422, "request-invalid", first["msg"], "see /api/v1/openapi.json", where=where)

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "request-refused")
        return plain_problem(error.status_code, code, str(error.detail), "see /api/v1/openapi.json")

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return plain_problem(400, "request-incomplete", "the client left before its body ended")

    @app.exception_handler(OSError)
    async def storage(_request: Request, error: OSError) -> Response:
        return plain_problem(502, StorageFailed.code, *reason_and_fix(error))

    @app.exception_handler(Exception)
    async def bug(_request: Request, error: Exception) -> Response:
        return plain_problem(
            500, "bug", f"{type(error).__name__}", "this is ours; the server's terminal shows what happened"
        )


def _page(path: str) -> Response:
    """A file of the built app, or the app itself for its own addresses."""
    if path.startswith("api/"):
        return plain_problem(404, "not-found", f"no route /{path[:200]}", "see /api/v1/openapi.json")
    file = _static_file(path)
    if file is not None:
        forever = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        return FileResponse(file, headers={"cache-control": forever})
    if path.startswith("assets/"):
        return plain_problem(404, "not-found", f"no file /{path[:200]}")
    if (STATIC / "index.html").is_file():
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})
    return HTMLResponse(_NO_PAGES, status_code=503)


def _static_file(path: str) -> Path | None:
    """The file of the built app at a path; None for any other path, also one that no file can have."""
    try:
        file = (STATIC / path).resolve()
        return file if path and file.is_relative_to(STATIC.resolve()) and file.is_file() else None
    except (OSError, ValueError):
        return None


_NO_PAGES = """<!doctype html><html lang="en"><title>Calotype</title>
<h1>The pages are not built</h1>
<p>The API answers below <code>/api/v1</code>. 
<code>uv sync --reinstall-package calotype</code> builds the pages.</p>
</html>"""

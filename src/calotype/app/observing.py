"""What the people who run a server see of it: metrics for Prometheus, and one line of JSON for each request.

Neither holds paths, queries, bodies, headers or anything that people wrote: routes are shown as they are declared, with
the names of their parameters.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST as METRICS_TYPE
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from calotype.app.access_trail import REQUEST_ID
from calotype.foundation.clock import iso, now_us

__all__ = ["METRICS_TYPE", "Metrics", "ObservingMiddleware", "write_line"]

ELSEWHERE = "elsewhere"
"""The route of a request that belongs to none: pages of the app, and addresses that do not exist."""
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Metrics:
    """Counters of one server process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "calotype_requests",
            "Requests by method, route and status.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "calotype_request_seconds",
            "Time until the whole answer was sent, by route.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.in_flight = Gauge(
            "calotype_requests_in_flight", "Requests being answered.", registry=self._registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All counters in the text format of Prometheus."""
        return generate_latest(self._registry)


class ObservingMiddleware:
    """Middleware that counts every request and hands a record of it to `log`, if there is one.

    `prefix` is what the paths of all routes begin with.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str,
        metrics: Metrics,
        log: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.app, self.prefix, self.metrics, self.log = app, prefix, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count it when it is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: dict[str, Any] = {}

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            await send(message)

        began = time.perf_counter()
        try:
            with self.metrics.in_flight.track_inprogress():
                await self.app(scope, receive, seen)
        finally:
            seconds = time.perf_counter() - began
            # a client that left before the answer began is counted as nginx counts it
            status = int(start.get("status", 499))
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            route = self._route(scope)
            self.metrics.observe(method, route, status, seconds)
            if self.log is not None:
                self.log(_record(scope, start, method, route, status, seconds))

    def _route(self, scope: Scope) -> str:
        """The route as it is declared, such as `/api/v1/datasets/{dataset}`."""
        path = getattr(scope.get("route"), "path", _PAGES)
        if path == _PAGES:
            return ELSEWHERE
        return path if path.startswith(self.prefix) else self.prefix + path


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PAGES = "/{path:path}"


def _record(
    scope: Scope, start: dict[str, Any], method: str, route: str, status: int, seconds: float
) -> dict[str, Any]:
    session = scope.get("state", {}).get("session")
    headers = dict(start.get("headers", ()))
    client = scope.get("client")
    return {
        "at": iso(now_us()),
        "request": headers.get(REQUEST_ID.encode(), b"").decode("latin-1"),
        "actor": session.actor.id if session is not None else "",
        "address": client[0] if client else "",
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1_000, 1),
    }


def write_line(record: dict[str, Any]) -> None:
    """Write a record of a request as one line of JSON to stderr."""
    sys.stderr.write(json.dumps(record, ensure_ascii=False) + "\n")
    sys.stderr.flush()

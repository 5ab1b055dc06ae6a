"""One connection to the server: uvicorn's, with limits on the time and size of a request's head.

uvicorn waits for the head of a request without an end, and answers a malformed one in plain text. Here a head has
`HEAD_S` seconds, and a refusal is problem+json like every other error.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from calotype.foundation.errors import CalotypeError, Invalid
from calotype.foundation.http import END_STREAM, SHUTTING_DOWN, problem

HEAD_S = 10.0
MAX_HEAD_BYTES = 65_536
_CAN_ANSWER = (h11.IDLE, h11.SEND_RESPONSE)


class RequestMalformed(Invalid):
    """What arrived is not an HTTP request."""

    code = "request-malformed"
    what = "this is not a valid HTTP/1.1 request"
    fix = "check the client, or a proxy in between"


class HeadTooLarge(Invalid):
    """Address and headers of a request are too large together."""

    code = "head-too-large"
    what = "the address and the headers are larger than {limit:,} bytes together"
    fix = "shorten the address, or send fewer headers"


class HeadTooSlow(Invalid):
    """The head of a request did not arrive in time."""

    code = "head-too-slow"
    what = "the address and the headers did not arrive within {seconds:.0f} s"
    fix = "send the whole request; check the connection, then try again"


class _State(ServerState):
    is_shutting_down = False


class Server(uvicorn.Server):
    """uvicorn's server, which ends although connections were accepted at the moment when it began to shut down."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state: _State = _State()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was asked, and close all connections."""
        self.server_state.is_shutting_down = True
        await super().shutdown(sockets)


class Connection(H11Protocol):
    """A connection that is closed when the head of a request does not come."""

    head_s = HEAD_S
    _head_timer: asyncio.TimerHandle | None = None

    def __init__(self, config: uvicorn.Config, server_state: _State, **rest: Any) -> None:
        super().__init__(config, server_state, **rest)
        self._server_state = server_state

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for a request."""
        super().connection_made(transport)
        if self._server_state.is_shutting_down:  # uvicorn has closed those that it knew
            transport.close()
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; the time for a head runs from its first byte until a request starts."""
        if self._is_between_requests():
            self._wait_for_head()
        super().data_received(data)
        if not self._is_between_requests():
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Go on; the time also runs for a head whose first bytes came while the request before was answered."""
        super().on_response_complete()
        if self._is_between_requests() and self.conn.trailing_data[0]:
            self._unset_keepalive_if_required()
            self._wait_for_head()

    def shutdown(self) -> None:
        """Close after the answer in progress; one without an end is ended, and cut off where nobody reads it."""
        super().shutdown()
        if self._is_between_requests():
            return
        cycle: Any = self.cycle
        state = cycle.scope.setdefault("state", {})
        state[SHUTTING_DOWN] = True
        if END_STREAM in state:
            state[END_STREAM]()
            if self.flow.write_paused:
                self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer a malformed request and close; uvicorn calls this while it handles the parser's error."""
        hint = getattr(sys.exc_info()[1], "error_status_hint", 400)
        self._refuse(HeadTooLarge(limit=MAX_HEAD_BYTES) if hint == 431 else RequestMalformed())

    def _is_between_requests(self) -> bool:
        cycle: Any = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def _wait_for_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_s, self._head_is_late)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._refuse(HeadTooSlow(seconds=self.head_s))

    def _refuse(self, error: CalotypeError) -> None:
        if self.transport.is_closing():
            return
        if self.conn.our_state in _CAN_ANSWER:
            answer = problem(error)
            headers = [*answer.raw_headers, (b"connection", b"close")]
            for event in (
                h11.Response(status_code=answer.status_code, headers=headers),
                h11.Data(data=bytes(answer.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:
            self.cycle.disconnected = True  # whoever waits for the rest of the body learns that none comes
            self.cycle.message_event.set()
        self.transport.close()

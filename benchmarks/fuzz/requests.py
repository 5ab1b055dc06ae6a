"""Sends hostile requests to a real server and counts what it answers.

    uv run python benchmarks/fuzz/requests.py --requests 50000

A workspace with images, labels, commits, findings, a release and an open merge is made; `calotype serve` runs on
loopback in a process of its own. Eight connections send requests built from the OpenAPI document, with real ids
beside hostile values; bodies of 300 MB go to every route that takes one; half-sent requests wait to be closed. The exit
code is 1 when an answer is 5xx, a request gets no answer, a half-sent one stays open, or the server's memory passes
700 MB.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hostile_requests import Builder, Request, World

API = "/api/v1"
MAX_RSS_MB = 700
ANSWER_S = 120.0
CLOSE_S = 60.0
CLASSES = ("2xx", "3xx", "4xx", "5xx", "closed", "no answer")


@dataclass
class Server:
    """A running server: where it listens, its token and its process."""

    port: int
    token: str
    pid: int
    log: Path

    def memory_mb(self, key: str) -> float:
        """`VmRSS` or `VmHWM` of the process."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) / 1024
        return 0.0


@dataclass
class Tally:
    """What came back."""

    classes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: tuple[float, str, int] = (0.0, "", 0)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    rss_mb: float = 0.0
    half_sent: int = 0
    still_open: int = 0
    longest_open_s: float = 0.0
    reached: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: Request, status: int, seconds: float, body: bytes = b"") -> None:
        """Count one answer: its status, or 0 where the connection was closed and -1 where nothing came."""
        kind = {0: "closed", -1: "no answer"}.get(status, f"{status // 100}xx")
        with self.lock:
            self.classes[kind] += 1
            self.statuses[status] += 1
            self.seconds.append(seconds)
            if 200 <= status < 300:
                self.reached[request.label] += 1
            self.slowest = max(self.slowest, (seconds, request.label, status))
            if kind in ("5xx", "no answer"):
                key = f"{request.label} {status} {_code(body)}"
                if key not in self.failures:
                    print(f"  FAILED {key}", file=sys.stderr, flush=True)
                self.failures.setdefault(key, f"{request.bytes_shown}\n      -> {body[:400]!r}")


def main() -> int:
    """Run and print the table."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="calotype-fuzz-"))
    started = time.monotonic()
    try:
        with served(folder, options.calotype.split()) as server:
            world = make_world(server, folder, options.calotype.split())
            document = json.loads(ask(server, "GET", "/openapi.json"))
            tally = Tally()
            attack(server, document, world, options, tally)
            peak_mb = server.memory_mb("VmHWM")
            errors = Counter(
                line
                for line in server.log.read_text("utf-8", "replace").splitlines()
                if line[:1].isalpha() and "Error" in line
            )
    finally:
        if options.keep:
            print(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    operations = {op["operationId"] for path in document["paths"].values() for op in path.values()}
    print(report(tally, peak_mb, operations, time.monotonic() - started))
    for key, shown in sorted(tally.failures.items()):
        print(f"FAILED {key}\n      {shown}")
    for line, n in errors.most_common(30):
        print(f"server: {n} x {line[:300]}")
    bad = tally.classes["5xx"] + tally.classes["no answer"] + tally.still_open
    return 1 if bad or max(peak_mb, tally.rss_mb) > MAX_RSS_MB else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--large-mb", type=int, default=300, help="size of the large bodies; 0 sends none")
    parser.add_argument("--half-sent", type=int, default=60, help="number of half-sent requests")
    parser.add_argument(
        "--calotype", default=f"{sys.executable} -m calotype", help="the command to serve with"
    )
    parser.add_argument("--keep", action="store_true", help="keep the workspace and the log of the server")
    return parser.parse_args()


def report(tally: Tally, peak_mb: float, operations: set[str], seconds: float) -> str:
    """The table, as the docs show it."""
    times = sorted(tally.seconds) or [0.0]
    slow_s, label, status = tally.slowest
    reached = operations & set(tally.reached)
    rows = [
        ("requests", f"{sum(tally.classes.values()):,} in {seconds:.0f} s"),
        *((f"answers {name}", f"{tally.classes[name]:,}") for name in CLASSES),
        ("operations that answered 2xx", f"{len(reached)} of {len(operations)}"),
        (
            "median, 99 % of answers",
            f"{times[len(times) // 2] * 1e3:.0f} ms, {times[len(times) * 99 // 100] * 1e3:.0f} ms",
        ),
        ("slowest", f"{slow_s:.1f} s, {label}, {status}"),
        (
            "half-sent requests closed",
            f"{tally.half_sent - tally.still_open} of {tally.half_sent}, after {tally.longest_open_s:.0f} s at most",
        ),
        (
            "memory of the server",
            f"{max(peak_mb, tally.rss_mb):.0f} MB at most ({tally.rss_mb:.0f} MB sampled)",
        ),
    ]
    missing = sorted(operations - reached)
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join(
        ["| | |", "| --- | --- |", *lines, *([f"never 2xx: {', '.join(missing)}"] if missing else [])]
    )


# ---- the attack


def attack(server: Server, document: Any, world: World, options: argparse.Namespace, tally: Tally) -> None:
    """Send everything, while the memory of the server is watched."""
    stop = threading.Event()
    watch = threading.Thread(target=_watch, args=(server, tally, stop))
    watch.start()
    left = iter(range(options.requests))
    lock = threading.Lock()
    rngs = [random.Random(f"{options.seed}-{at}") for at in range(options.connections + 2)]
    builders = [Builder(document, world, rng) for rng in rngs]
    threads = [
        threading.Thread(target=_send_all, args=(server, builder, left, lock, tally))
        for builder in builders[2:]
    ]
    threads.append(
        threading.Thread(target=_hold_half_sent, args=(server, builders[0], options.half_sent, tally))
    )
    if options.large_mb:
        threads.append(
            threading.Thread(target=_send_large, args=(server, builders[1], options.large_mb, tally))
        )
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    watch.join()


def _watch(server: Server, tally: Tally, stop: threading.Event) -> None:
    n = 0
    while not stop.wait(0.2):
        with suppress(OSError):
            tally.rss_mb = max(tally.rss_mb, server.memory_mb("VmRSS"))
        n += 1
        if n % 150 == 0:
            done = sum(tally.classes.values())
            print(
                f"  {done:,} requests, {tally.classes['5xx']} of 5xx, {tally.rss_mb:.0f} MB",
                file=sys.stderr,
                flush=True,
            )


def _send_all(
    server: Server, builder: Builder, left: Iterator[int], lock: threading.Lock, tally: Tally
) -> None:
    wire = Wire(server)
    while True:
        with lock:
            at = next(left, None)
        if at is None:
            break
        wire.send(builder.request(), tally)
    wire.close()


def _send_large(server: Server, builder: Builder, size_mb: int, tally: Tally) -> None:
    wire = Wire(server)
    for request in builder.large(size_mb * 1_000_000):
        wire.send(request, tally)
        wire.close()


def _hold_half_sent(server: Server, builder: Builder, number: int, tally: Tally) -> None:
    """Open half-sent requests, a few at a time, and measure when the server closes each."""
    for start in range(0, number, 20):
        held = []
        for _ in range(min(20, number - start)):
            sock = socket.create_connection(("127.0.0.1", server.port), timeout=CLOSE_S)
            request = builder.half_sent()
            with suppress(OSError):
                sock.sendall(request.head + next(request.body(), b""))
            held.append((sock, time.monotonic()))
        for sock, opened in held:
            sock.settimeout(max(0.1, CLOSE_S - (time.monotonic() - opened)))
            try:
                while sock.recv(65_536):
                    pass
            except TimeoutError:
                tally.still_open += 1
            except OSError:
                pass
            tally.half_sent += 1
            tally.longest_open_s = max(tally.longest_open_s, time.monotonic() - opened)
            sock.close()


class Wire:
    """One connection, opened again when the server has closed it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._sock: socket.socket | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._sock is not None:
            self._sock.close()
        self._sock = None

    def send(self, request: Request, tally: Tally) -> None:
        """Send one request and count its answer; one that met a closed connection is sent again on a fresh one."""
        start = time.monotonic()
        is_fresh = self._sock is None
        status, body = self._exchange(request)
        if status == 0 and not is_fresh:
            status, body = self._exchange(request)
        tally.add(request, status, time.monotonic() - start, body)

    def _exchange(self, request: Request) -> tuple[int, bytes]:
        try:
            if self._sock is None:
                self._sock = socket.create_connection(("127.0.0.1", self.server.port), timeout=ANSWER_S)
            with suppress(ConnectionError):  # a refusal may come before the body has gone out
                self._sock.sendall(request.head)
                for part in request.body():
                    self._sock.sendall(part)
            answer = http.client.HTTPResponse(self._sock, method="HEAD" if request.is_head else "GET")
            answer.begin()
            body = answer.read()
            if answer.will_close or request.label == "broken http" or b"expect:" in request.head:
                self.close()
            return answer.status, body
        except TimeoutError:
            self.close()
            return -1, b""
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, b""


def _code(body: bytes) -> str:
    try:
        told = json.loads(body)
        return f"{told['code']}: {told['detail']}"[:160]
    except (ValueError, KeyError, TypeError):
        return repr(body[:60])


# ---- the world


@contextmanager
def served(folder: Path, command: list[str]) -> Iterator[Server]:
    """A workspace in the folder, and its server."""
    workspace, log = folder / "workspace", folder / "server.log"
    _run([*command, "init", str(workspace)])
    _pipeline(folder, workspace, command)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "CALOTYPE_TOKEN": "open-sesame-4-fuzz-requests"}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, "-w", str(workspace), "--json", "serve", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the server did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
        url = json.loads(line)["url"]
        yield Server(int(url.rstrip("/").rpartition(":")[2]), "open-sesame-4-fuzz-requests", process.pid, log)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def make_world(server: Server, folder: Path, command: list[str]) -> World:
    """Fill the workspace through the server, and collect every kind of id."""
    world = World(token=server.token)
    world.images = [_png(at) for at in range(16)]
    _fill(server, world)
    place = "/datasets/shop"
    _run([*command, "-w", str(folder / "workspace"), "embed", "shop"])
    samples = _get(server, f"{place}/samples?limit=50")["items"]
    report = _post(server, f"{place}/checks")
    findings = _get(server, f"{place}/findings?run={report['run']['id']}")["items"]
    release = _get(server, f"{place}/releases/1.0.0")
    world.ids = {
        "dataset": ["shop", "side", "small"],
        "sample": [row["id"] for row in samples],
        "media": [row["media"] for row in samples],
        "annotation": [row["id"] for row in samples]
        + [a["id"] for row in samples for a in row["annotations"] if "id" in a],
        "commit": [row["id"] for row in _get(server, f"{place}/log")["items"]],
        "ref": [ref["name"] for ref in _get(server, f"{place}/refs")["items"]] + ["main~1", "trial+", ""],
        "branch": ["main", "trial", "other"],
        "version": ["1.0.0"],
        "file": [file["path"] for file in release["files"]],
        "finding": [row["key"] for row in findings],
        "check": sorted({row["check"] for row in findings}),
        "check_run": [report["run"]["id"]],
        "run": [row["id"] for row in _get(server, "/runs")["items"]],
        "merge": [row["merge"] for row in _get(server, f"{place}/merges")["items"]],
        "label_set": ["ground_truth", "model"],
        "fix": [""],
    }
    return world


CONTRACT = "classes: [{name: car, min_annotations: 2}, {name: dog}]\npurposes: [training]\n"


def _fill(server: Server, world: World) -> None:
    place = "/datasets/shop"
    for name in ("shop", "side"):
        _post(server, "/datasets", {"name": name})
    for at, data in enumerate(world.images[:12]):
        ask(
            server,
            "PUT",
            f"{place}/images/cam/{at:03d}.png?licence=CC0-1.0",
            data,
            "application/octet-stream",
        )
    labels = _labels()
    world.labels = [
        labels,
        b"[]",
        b'{"images": [], "annotations": [], "categories": []}',
        b'[{"image_id": 1}]',
        b"{",
        b"",
        labels[:300],
    ]
    ask(server, "POST", f"{place}/imports", labels, "application/octet-stream")
    ask(server, "PUT", f"{place}/contract", CONTRACT.encode(), "application/yaml")
    first = _post(server, f"{place}/commits", {"message": "first"})["commit"]
    _post(server, f"{place}/tags", {"name": "v1", "ref": first})
    for name in ("trial", "other"):
        _post(server, f"{place}/branches", {"name": name})
    _post(
        server,
        f"{place}/releases",
        {"version": "1.0.0", "split": {"train": 0.5, "val": 0.5}, "purpose": "training"},
    )
    _conflict(server, place)


def _conflict(server: Server, place: str) -> None:
    """Two branches that give the samples different splits, and their open merge."""
    for branch, fractions in (("trial", {"a": 1.0}), ("other", {"b": 1.0})):
        _post(server, f"{place}@{branch}/splits", {"fractions": fractions})
        _post(server, f"{place}@{branch}/commits", {"message": branch})
    _post(server, f"{place}/merges", {"source": "trial", "into": "other"})


def _pipeline(folder: Path, workspace: Path, command: list[str]) -> None:
    images = folder / "images"
    images.mkdir()
    for at in range(3):
        (images / f"{at}.png").write_bytes(_png(900 + at))
    file = folder / "pipeline.yaml"
    file.write_text(
        "pipeline: small\ndataset: small\nstages:\n  - acquire: {from: images}\n  - commit: {message: all}\n"
    )
    _run([*command, "-w", str(workspace), "run", str(file)])


def _labels() -> bytes:
    boxes = [(1, 2, 5, 6), (3, 3, 9, 9), (-5, 2, 20, 10), (28, 20, 20, 20), (0, 0, 1, 1)]
    annotations = [
        {
            "id": at + 1,
            "image_id": at % 12 + 1,
            "category_id": at % 2 + 1,
            "bbox": list(boxes[at % 5]),
            "area": 30,
            "iscrowd": 0,
        }
        for at in range(30)
    ]
    images = [{"id": at + 1, "file_name": f"cam/{at:03d}.png", "width": 32, "height": 24} for at in range(12)]
    categories = [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories}).encode()


def _png(seed: int, width: int = 32, height: int = 24) -> bytes:
    rng = random.Random(seed)
    rows = b"".join(b"\x00" + rng.randbytes(3 * width) for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")


def _get(server: Server, path: str) -> Any:
    return json.loads(ask(server, "GET", path))


def _post(server: Server, path: str, body: Any = None) -> Any:
    return json.loads(
        ask(server, "POST", path, json.dumps({} if body is None else body).encode(), "application/json")
    )


def ask(server: Server, method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
    """The body of a success; the script ends at anything else."""
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_S)
    headers = {"authorization": f"Bearer {server.token}", **({"content-type": kind} if kind else {})}
    wire.request(method, API + path, body or None, headers)
    answer = wire.getresponse()
    data = answer.read()
    wire.close()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path} answered {answer.status}: {data[:400]!r}")
    return data


if __name__ == "__main__":
    sys.exit(main())

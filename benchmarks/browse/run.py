"""How fast one server process answers the pages of the app on a large dataset, over HTTP.

    uv run benchmarks/browse/run.py --samples 100000
    uv run benchmarks/browse/run.py --samples 1000000 --folder FOLDER    # keeps the workspace for the next run

Starts `calotype serve` on a workspace that `build.py` writes, asks every route for a first and then for many further
answers, and prints the first, the second, the median and the 95th percentile in milliseconds, the CPU time of the
server for one answer, the bytes of an answer, and the most memory that the server had. `--restart` asks a fresh process
again, with what the first one left on the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import build

from calotype.foundation.actor import Actor
from calotype.store import open_workspace
from calotype.store.store import create_workspace

FILTER = 'weather = "fog" and time_of_day = night'
FILTER_OBJECTS = "count(truck) >= 2 and split = val"


@dataclass
class Server:
    """A running server and the most memory that it was seen with."""

    base: str
    pid: int
    peak_rss: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def get(self, path: str, **query: Any) -> tuple[float, bytes]:
        """Seconds and the body of one answer."""
        url = f"{self.base}api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        start = time.perf_counter()
        with urllib.request.urlopen(url, timeout=600) as answer:
            body = answer.read()
        return time.perf_counter() - start, body

    def watch(self) -> None:
        """Sample the resident memory until stopped."""
        while not self.stopped.wait(0.05):
            self.peak_rss = max(self.peak_rss, rss_of(self.pid))


def main() -> None:
    options = _options()
    with _workspace(options.folder, options.samples) as folder:
        figures = {"first process": measure(folder, options)}
        if options.restart:
            figures["after a restart"] = measure(folder, options)
    print(json.dumps(figures, indent=1) if options.json else "")


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The figures of one server process."""
    with served(folder, "--no-token") as server:
        print(f"\nserver at rest: {rss_of(server.pid) / 1e6:.0f} MB")
        figures = {name: _ask(server, name, call, options.calls) for name, call in _routes(server)}
        figures["thumbnails, 8 at once"] = _thumbnails(server)
        if options.minutes:
            figures["in use"] = _in_use(server, options.minutes)
        print(
            f"peak memory of the server: {server.peak_rss / 1e6:.0f} MB, now {rss_of(server.pid) / 1e6:.0f} MB"
        )
        return {**figures, "peak_rss_bytes": server.peak_rss}


def _routes(server: Server) -> Iterator[tuple[str, Callable[[random.Random], tuple[float, bytes]]]]:
    dataset = f"/datasets/{build.DATASET}"
    yield "datasets", lambda _: server.get("/datasets")
    yield "overview", lambda _: server.get(dataset)
    _wait_until_exact(server, dataset)
    yield "overview, later", lambda _: server.get(dataset)
    yield "overview of the commit", lambda _: server.get(dataset, ref="main")
    yield "facets", lambda _: server.get(f"{dataset}/facets", where=FILTER)
    yield "facets by objects", lambda _: server.get(f"{dataset}/facets", where=FILTER_OBJECTS)
    total = json.loads(server.get(f"{dataset}/samples", limit=1)[1])["total"]
    yield "page at any offset", lambda r: server.get(f"{dataset}/samples", offset=r.randrange(total))
    yield "page, filtered", lambda r: server.get(f"{dataset}/samples", where=FILTER, offset=r.randrange(900))
    yield (
        "page, filtered by objects",
        lambda r: server.get(f"{dataset}/samples", where=FILTER_OBJECTS, offset=r.randrange(500)),
    )
    yield (
        "page, most annotations",
        lambda r: server.get(f"{dataset}/samples", sort="-annotations", offset=r.randrange(total)),
    )
    page = json.loads(server.get(f"{dataset}/samples", offset=total // 2, limit=200)[1])["items"]
    ids = [item["id"] for item in page]
    yield "one sample", lambda r: server.get(f"{dataset}/samples/{r.choice(ids)}")
    yield "one sample, filtered", lambda r: server.get(f"{dataset}/samples/{r.choice(ids)}", where=FILTER)
    yield "log with uncommitted changes", lambda _: server.get(f"{dataset}/log")
    yield "checks", lambda _: server.get(f"{dataset}/checks")
    yield "difference to the commit", lambda _: server.get(f"{dataset}/diff", a="main", b="main+")


def _wait_until_exact(server: Server, path: str) -> None:
    """Wait until the counts that are made in the background are there, which the load of the machine decides."""
    for _ in range(120):
        if not json.loads(server.get(path)[1])["approximate"]:
            return
        time.sleep(1)


def _ask(
    server: Server, name: str, call: Callable[[random.Random], tuple[float, bytes]], n: int
) -> dict[str, Any]:
    rng = random.Random(3)
    start_s = cpu_s_of(server.pid)
    try:
        first, body = call(rng)
    except urllib.error.HTTPError as error:
        print(f"{name:32} {error.code}")
        return {"status": error.code}
    first_cpu_ms = (cpu_s_of(server.pid) - start_s) * 1e3
    approximate = b'"approximate":true' in body.replace(b" ", b"")
    second, _ = call(rng)
    calls = max(3, min(n, int(20 / max(second, 0.001))))
    before_s = cpu_s_of(server.pid)
    took = sorted(call(rng)[0] for _ in range(calls))
    cpu_ms = (cpu_s_of(server.pid) - before_s) / calls * 1e3
    figures = {
        "first_ms": first * 1e3,
        "first_cpu_ms": first_cpu_ms,
        "first_is_approximate": approximate,
        "second_ms": second * 1e3,
        "p50_ms": statistics.median(took) * 1e3,
        "p95_ms": took[int(0.95 * (len(took) - 1))] * 1e3,
        "cpu_ms": cpu_ms,
        "bytes": len(body),
        "rss_bytes": rss_of(server.pid),
    }
    mark = " (approximate)" if approximate else ""
    print(
        f"{name:32} first {figures['first_ms']:8.1f} cpu {first_cpu_ms:6.0f}{mark}  "
        f"second {figures['second_ms']:8.1f}  "
        f"p50 {figures['p50_ms']:7.1f}  p95 {figures['p95_ms']:7.1f}  cpu {cpu_ms:6.1f} ms  {len(body):8} B  "
        f"{figures['rss_bytes'] / 1e6:6.0f} MB",
        flush=True,
    )
    return figures


def _thumbnails(server: Server) -> dict[str, Any]:
    """Many thumbnails at once, each for the first time, while another client asks for pages."""
    dataset = f"/datasets/{build.DATASET}"
    page = json.loads(server.get(f"{dataset}/samples", limit=min(400, build.N_IMAGES))[1])["items"]
    pages: list[float] = []
    with ThreadPoolExecutor(8) as pool:
        start = time.perf_counter()
        jobs = [pool.submit(server.get, f"{dataset}/thumbs/{quote(item['media'])}") for item in page]
        while not all(job.done() for job in jobs):
            pages.append(server.get(f"{dataset}/samples", limit=100)[0])
        took = sorted(job.result()[0] for job in jobs)
        seconds = time.perf_counter() - start
    figures = {
        "per_second": len(took) / seconds,
        "p95_ms": took[int(0.95 * (len(took) - 1))] * 1e3,
        "page_meanwhile_p95_ms": sorted(pages)[int(0.95 * (len(pages) - 1))] * 1e3,
    }
    print(f"{len(took)} thumbnails: " + ", ".join(f"{name} {value:.0f}" for name, value in figures.items()))
    return figures


def _in_use(server: Server, minutes: float) -> dict[str, Any]:
    """Routes in any order, as fast as one client can ask; queries and places differ each time."""
    rng, end, took = random.Random(5), time.monotonic() + 60 * minutes, []
    dataset = f"/datasets/{build.DATASET}"
    calls = dict(_routes(server))
    while time.monotonic() < end:
        name = rng.choice([*calls, "another query"])
        if name == "another query":
            where = f'camera = "{rng.choice(build.CAMERAS)}" and width >= {rng.choice((1280, 1920, 3840))}'
            took.append(server.get(f"{dataset}/facets", where=where)[0])
            took.append(server.get(f"{dataset}/samples", where=where, offset=rng.randrange(5_000))[0])
        else:
            took.append(calls[name](rng)[0])
    took.sort()
    figures = {
        "answers": len(took),
        "p95_ms": took[int(0.95 * (len(took) - 1))] * 1e3,
        "rss_bytes": rss_of(server.pid),
    }
    print(
        f"{minutes:g} minutes: {len(took):,} answers, p95 {figures['p95_ms']:.0f} ms, "
        f"then {figures['rss_bytes'] / 1e6:.0f} MB"
    )
    return figures


def rss_of(pid: int) -> int:
    """Resident memory of a process in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_s_of(pid: int) -> float:
    """Seconds of CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Server]:
    """A server of the workspace, without its pages being asked for."""
    command = [
        sys.executable,
        "-m",
        "calotype",
        "-w",
        str(folder),
        "--json",
        "serve",
        "--port",
        "0",
        *options,
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            server = Server(json.loads(process.stdout.readline())["url"], process.pid)
            threading.Thread(target=server.watch, daemon=True).start()
            yield server
        finally:
            server.stopped.set()
            process.terminate()
            process.wait(timeout=120)


@contextmanager
def _workspace(folder: Path | None, n: int) -> Iterator[Path]:
    """A workspace with `n` samples: in a folder that is kept, or in a temporary one."""
    with tempfile.TemporaryDirectory() as temporary:
        place = (folder or Path(temporary)) / f"browse-{n}"
        if not (place / "complete").exists():
            start = time.perf_counter()
            actor = Actor.local()
            store = create_workspace(actor, place)
            build.build(store, actor, n)
            store.close()
            (place / "complete").touch()
            print(
                f"built {n:,} samples in {time.perf_counter() - start:.0f} s, {build.size_of(place) / 1e6:.0f} MB"
            )
        open_workspace(place).close()
        yield place


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the workspace is kept between runs")
    parser.add_argument("--calls", type=int, default=40, help="further calls of each route")
    parser.add_argument("--minutes", type=float, default=0, help="minutes of asking all routes in any order")
    parser.add_argument("--restart", action="store_true", help="ask a fresh process again")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON too")
    return parser.parse_args()


if __name__ == "__main__":
    main()

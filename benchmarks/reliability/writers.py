"""Many writers on one dataset: four processes and 16 threads, on each pair of catalog and storage.

    uv run python benchmarks/reliability/writers.py                    # 5 minutes on each of the four pairs
    uv run python benchmarks/reliability/writers.py --minutes 1 --threads 64 --pair postgresql+folder

Two of the processes use the Python API, two are `calotype serve` with clients of their own. Every thread uploads,
annotates, commits, branches, reads and queries in turn. At the end everything that was acknowledged has to be there,
and `verify` has to be green. Exit code 1 after a lost acknowledged write, an error that is not a refusal (5xx), or a
wait of more than 10 seconds.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

import writers_judge  # noqa: E402
from tests.support.servers import running_postgres, running_s3  # noqa: E402

PAIRS = ("sqlite+folder", "sqlite+bucket", "postgresql+folder", "postgresql+bucket")
PROCESSES = 4
MAX_WAIT_S = 10.0


def main() -> int:
    """Every pair in turn, then the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=16, help="threads of all processes together")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--pair", action="append", choices=PAIRS)
    parser.add_argument(
        "--max-wait", type=float, default=MAX_WAIT_S, help="seconds that one request may take"
    )
    asked = parser.parse_args()
    failed = False
    print(HEADING, flush=True)
    with ExitStack() as stack:
        servers = Servers(stack)
        for pair in asked.pair or PAIRS:
            with tempfile.TemporaryDirectory(prefix="calotype-writers-") as folder:
                result = run(servers, pair, Path(folder), asked)
            print(line(pair, result), flush=True)
            for wrong in result["wrong"]:
                print(f"  {wrong}", flush=True)
            failed |= bool(result["wrong"])
    print(f"\n{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {_load()}")
    return 1 if failed else 0


class Servers:
    """The database and the storage server, started when they are first needed."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[str, Any] = {}

    def environment(self, pair: str) -> dict[str, str]:
        """What `calotype init` needs to know about a fresh pair: addresses and keys."""
        catalog, media = pair.split("+")
        found: dict[str, str] = {}
        if catalog == "postgresql":
            if "postgresql" not in self._running:
                self._running["postgresql"] = self._stack.enter_context(running_postgres())
            found["catalog"] = self._running["postgresql"].fresh()
        if media == "bucket":
            if "s3" not in self._running:
                self._running["s3"] = self._stack.enter_context(running_s3())
            s3 = self._running["s3"]
            found |= {"storage": s3.fresh().url, "AWS_ENDPOINT_URL": s3.endpoint}
            found |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret"}
        return found


def run(servers: Servers, pair: str, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """All processes on one pair, and what became of their work."""
    given = servers.environment(pair)
    environment = {**os.environ, **{name: value for name, value in given.items() if name.isupper()}}
    words = [word for name in ("catalog", "storage") if name in given for word in (f"--{name}", given[name])]
    root = folder / "workspace"
    _calotype(environment, "init", str(root), *words)
    _calotype(environment, "-w", str(root), "dataset", "create", "shop")
    seconds = str(asked.minutes * 60)
    with ExitStack() as stack:
        workers = []
        for number in range(asked.processes):
            told = folder / f"told-{number}.jsonl"
            url = "" if number % 2 else stack.enter_context(served(root, environment))
            command = [sys.executable, str(HERE / "writers_worker.py"), str(root), url, str(number)]
            command += [str(asked.threads // asked.processes), seconds, str(told)]
            workers.append((subprocess.Popen(command, env=environment), told))
        codes = [worker.wait() for worker, _ in workers]
    with _environment(environment):
        result = writers_judge.judge(root, [told for _, told in workers], max_wait_s=asked.max_wait)
    result["wrong"] += [f"worker {number} ended with {code}" for number, code in enumerate(codes) if code]
    return result


@contextmanager
def served(root: Path, environment: dict[str, str]) -> Iterator[str]:
    """`calotype serve` in a process of its own; yields its address."""
    command = [sys.executable, "-m", "calotype", "-w", str(root), "--json", "serve", "--port", "0"]
    environment = {**environment, "PYTHONUNBUFFERED": "1", "CALOTYPE_TOKEN": writers_judge.TOKEN}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            yield writers_judge.address(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(timeout=120)


HEADING = (
    f"{'pair':<18} {'threads':>7} {'seconds':>7} {'acknowledged':>12} {'writes/s':>8} {'409':>5} {'5xx':>4} "
    f"{'lost':>4} {'p50':>6} {'p95':>6} {'longest':>8}  load"
)


def line(pair: str, found: dict[str, Any]) -> str:
    """One row of the table, and one for each kind of request."""
    first = (
        f"{pair:<18} {found['threads']:>7} {found['seconds']:>7.0f} {found['acknowledged']:>12} "
        f"{found['writes_per_s']:>8.1f} {found['conflicts']:>5} {found['errors']:>4} {found['lost']:>4} "
        f"{found['p50_s']:>5.2f}s {found['p95_s']:>5.2f}s {found['longest_s']:>7.2f}s  {_load()}"
    )
    kinds = [
        f"    {kind:<14} {one['n']:>6} done, p50 {one['p50_s']:.2f} s, p95 {one['p95_s']:.2f} s, longest "
        f"{one['longest_s']:.2f} s{_codes(one['codes'])}"
        for kind, one in sorted(found["kinds"].items())
    ]
    return "\n".join([first, *kinds])


def _codes(codes: Counter[str]) -> str:
    return "".join(f", {n} x {code}" for code, n in sorted(codes.items()))


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _calotype(environment: dict[str, str], *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "calotype", *words], env=environment, check=True, capture_output=True
    )


@contextmanager
def _environment(given: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    sys.exit(main())

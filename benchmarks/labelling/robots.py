"""Robots that label through HTTP, with a server that is killed: nothing done twice beyond the overlap, nothing lost.

    uv run benchmarks/labelling/robots.py [--robots 100] [--assignments 20000] [--kills 20]

Each robot takes what is next, draws one to four boxes in lists, submits, and repeats a request until it is answered, as
the app does. The server runs in a process of its own and is killed at random moments (SIGKILL). In the end the catalog
is held against what the robots were answered. Prints the counts and the rate; exits with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import numpy as np
from PIL import Image

from calotype.acquire.model import ImageOptions
from calotype.acquire.service import add
from calotype.app import workspaces
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.actor import Actor
from calotype.labelling import repository, service
from calotype.labelling.model import BatchOptions
from calotype.labelling.record import log
from calotype.people import service as people
from calotype.people import tokens
from calotype.store import Store
from calotype.vision.ontology import Ontology

OVERLAP = 2
OWNER = Actor.local()


@dataclass
class Answered:
    """What robots were answered: operations that are recorded, samples that were submitted and by whom."""

    operations: set[str] = field(default_factory=set)
    submitted: list[tuple[str, str]] = field(default_factory=list)
    reviewed: list[tuple[str, str]] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    tries: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> int:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--robots", type=int, default=100)
    parser.add_argument("--assignments", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_samples = max(4, arguments.assignments // OVERLAP)
        with closing(workspaces.create(OWNER, folder / "w")) as store:
            secrets = _set_up(store, folder / "images", n_samples, arguments.robots)
        answered = Answered()
        started = time.perf_counter()
        _work(folder / "w", secrets, arguments.kills, answered)
        seconds = time.perf_counter() - started
        with closing(workspaces.open_at(folder / "w")) as store:
            report = _compared(store, answered)
    report |= {
        "robots": arguments.robots,
        "kills": arguments.kills,
        "requests_tried": answered.tries,
        "seconds": round(seconds, 1),
        "assignments_per_s": round(len(answered.submitted) / seconds, 1),
    }
    print(json.dumps(report, indent=2))
    return 1 if report["wrong"] else 0


def _set_up(store: Store, folder: Path, n_samples: int, n_robots: int) -> list[str]:
    """Two batches over the same images, one urgent; robots with tokens."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for n in range(min(n_samples, 2_000)):
        Image.fromarray(rng.integers(0, 255, (16, 24, 3), dtype=np.uint8)).save(folder / f"{n:05}.png")
    datasets.create(OWNER, "d", store=store)
    add(OWNER, "d", [folder], ImageOptions(), store=store)
    datasets.apply(OWNER, "d", Change(ontology=Ontology().add("car").add("dog")), store=store)
    datasets.commit(OWNER, "d", "first", store=store)
    per_batch = len(datasets.read(OWNER, "d", store=store).ids())
    for n in range(max(1, round(n_samples / per_batch))):
        options = BatchOptions(overlap=OVERLAP, review=0.05, priority=-n)
        service.open_batch(OWNER, "d", f"b{n}", store=store, options=options)
    secrets = []
    for n in range(n_robots):
        email = f"r{n}@example.org"
        people.add_person(
            OWNER, email, f"Robot {n}", store=store, role="reviewer" if n % 5 == 0 else "annotator"
        )
        _, secret = tokens.create_token(OWNER, "t", store=store, scopes=["write"], days=7, for_email=email)
        secrets.append(secret)
    return secrets


class _Server:
    """A server in a process of its own, which can be killed and started again on the same port."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            sys.executable,
            "-m",
            "calotype",
            "-w",
            str(self.root),
            "serve",
            "--accounts",
            "--plain-http",
        ]
        command += ["--port", str(self.port), "--no-open"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/api/v1/health", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
            if self.process.poll() is not None:
                raise SystemExit("the server does not start")

    def kill(self) -> None:
        """End it at once."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _work(root: Path, secrets: list[str], kills: int, answered: Answered) -> None:
    server = _Server(root)
    url = f"http://127.0.0.1:{server.port}/api/v1"
    threads = [
        threading.Thread(target=_robot, args=(url, secret, n, answered)) for n, secret in enumerate(secrets)
    ]
    for thread in threads:
        thread.start()
    rng = random.Random(1)
    for _ in range(kills):
        time.sleep(rng.uniform(0.5, 3.0))
        if not any(thread.is_alive() for thread in threads):
            break
        server.kill()
        server.start()
    for thread in threads:
        thread.join()
    server.kill()


def _robot(url: str, secret: str, seed: int, answered: Answered) -> None:
    """Take, draw, submit, until nothing is left three times in a row."""
    rng = random.Random(seed)
    with httpx.Client(timeout=30, headers={"authorization": f"Bearer {secret}"}) as client:

        def ask(path: str, body: dict[str, Any]) -> dict[str, Any] | None:
            while True:
                with answered.lock:
                    answered.tries += 1
                try:
                    answer = client.post(url + path, json=body)
                except httpx.HTTPError:
                    time.sleep(0.2)
                    continue
                if answer.status_code in (429, 502, 503):
                    time.sleep(0.2)
                    continue
                return answer.json() if answer.is_success else None

        nothing = 0
        while nothing < 3:
            taken = (ask("/assignments/next", {}) or {}).get("work")
            if taken is None:
                nothing += 1
                time.sleep(0.3)
                continue
            nothing = 0
            _do(ask, taken, rng, f"person-{seed}", answered)


def _do(ask: Any, work: dict[str, Any], rng: random.Random, who: str, answered: Answered) -> None:
    place = f"/assignments/{work['assignment']}"
    sample = f"{work['batch']['name']}/{work['sample']['id']}"
    if work["kind"] == "review":
        if ask(f"{place}/review", {"verdict": "accept", "id": uuid4().hex}):
            with answered.lock:
                answered.reviewed.append((sample, who))
        return
    for _ in range(rng.randint(1, 2)):
        operations = [_box(rng) for _ in range(rng.randint(1, 2))]
        recorded = ask(f"{place}/operations", {"operations": operations})
        if recorded:
            with answered.lock:
                answered.operations |= {*recorded["recorded"], *recorded["repeated"]}
    if ask(f"{place}/submit", {"id": uuid4().hex, "active_ms": rng.randint(500, 5_000)}):
        with answered.lock:
            answered.submitted.append((sample, who))
            answered.batches.append(work["batch"]["name"])


def _box(rng: random.Random) -> dict[str, Any]:
    new = {"do": "add", "id": uuid4().hex, "annotation": uuid4().hex, "class": "car", "kind": "box"}
    return {**new, "bbox": [rng.uniform(0, 10), rng.uniform(0, 8), 8.0, 6.0]}


def _compared(store: Store, answered: Answered) -> dict[str, Any]:
    """What the catalog holds against what the robots were answered."""
    wrong: list[str] = []
    recorded: set[str] = set()
    n_done = 0
    with store.catalog.read() as conn:
        for batch in repository.batches(conn):
            done = repository.assignments(
                conn, batch_id=batch.id, kind="annotate", states=("submitted", "accepted")
            )
            n_done += len(done)
            by_sample = Counter(one.sample_id for one in done)
            people_of = {(one.sample_id, one.actor_id) for one in done}
            wrong += [f"{k}: {n} copies" for k, n in by_sample.items() if n > batch.overlap]
            wrong += ["one person twice"] * (len(done) - len(people_of))
            for one in repository.assignments(conn, batch_id=batch.id, kind="review", states=("accepted",)):
                if (one.sample_id, one.actor_id) in people_of:
                    wrong.append(f"{one.actor} reviewed their own work")
            for one in repository.assignments(conn, batch_id=batch.id):
                events = log.events(conn, one.id)
                recorded |= {event.operation for event in events}
                if log.fold(events) != log.present(conn, one.id):
                    wrong.append(f"{one.id}: log and state differ")
    lost = answered.operations - recorded
    wrong += [f"{len(lost)} operations lost"] if lost else []
    order = list(dict.fromkeys(answered.batches))
    wrong += [f"order {order}"] if order != sorted(order, key=lambda name: int(name[1:])) else []
    return {
        "submitted": n_done,
        "reviewed": len(answered.reviewed),
        "operations": len(answered.operations),
        "batches": len(order),
        "wrong": wrong[:10],
    }


if __name__ == "__main__":
    sys.exit(main())

"""One process of `writers.py`: threads that upload, annotate, commit, branch, read and query, and note what was done.

writers_worker.py ROOT URL NUMBER THREADS SECONDS TOLD    # an empty URL: the Python API
"""

from __future__ import annotations

import http.client
import io
import json
import random
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import numpy as np
from PIL import Image

TOKEN = "token-of-the-writers-bench"

DATASET = "shop"
WEIGHTS = {"upload": 40, "annotate": 16, "commit": 8, "branch": 4, "read": 16, "query": 16}
_SIDE_PX = 32


class Door(Protocol):
    """How a thread reaches the workspace. Each verb returns an HTTP status and what was acknowledged or said."""

    def upload(self, name: str, data: bytes) -> tuple[int, Any]:
        """Add an image."""

    def annotate(self, name: str, source_id: str) -> tuple[int, Any]:
        """Put a box on an image."""

    def commit(self, message: str) -> tuple[int, Any]:
        """Commit; what is acknowledged is the id."""

    def branch(self, name: str) -> tuple[int, Any]:
        """Create a branch."""

    def read(self) -> tuple[int, Any]:
        """Look at the dataset."""

    def query(self, name: str) -> tuple[int, Any]:
        """Find one image by its name."""


class Api:
    """The Python API in this process."""

    def __init__(self, root: Path) -> None:
        import pyarrow as pa

        from calotype.acquire import uploads
        from calotype.acquire.labels.put_annotations import put_annotations
        from calotype.datasets import service
        from calotype.datasets.change import Change
        from calotype.foundation.actor import Actor
        from calotype.foundation.codes import code_of
        from calotype.foundation.errors import CalotypeError
        from calotype.store import open_workspace

        self._pa, self._uploads, self._put, self._service = pa, uploads, put_annotations, service
        self._status_of, self._error = code_of, CalotypeError
        self._actor = Actor("writers", "writers")
        self.store = open_workspace(root)
        with_car = self._plan_with_car(Change)
        service.apply(self._actor, DATASET, with_car, store=self.store)

    @staticmethod
    def _plan_with_car(change: Any) -> Any:
        def plan(state: Any) -> Any:
            known = state.ontology.by_name("car") is not None
            return change() if known else change(ontology=state.ontology.add("car"))

        return plan

    def upload(self, name: str, data: bytes) -> tuple[int, Any]:
        """Add an image."""
        return self._ask(
            lambda: self._uploads.add_upload(self._actor, DATASET, name, [data], store=self.store)
        )

    def annotate(self, name: str, source_id: str) -> tuple[int, Any]:
        """Put a box on an image."""

        def call() -> Any:
            state = self._service.read(self._actor, DATASET, store=self.store)
            (sample_id,) = state.ids(f'name = "{name}"')
            box = {"sample_id": [sample_id], "class": ["car"], "source_id": [source_id]}
            box |= {"x": [1.0], "y": [1.0], "w": [5.0], "h": [5.0]}
            return self._put(self._actor, DATASET, self._pa.table(box), store=self.store)

        return self._ask(call)

    def commit(self, message: str) -> tuple[int, Any]:
        """Commit."""
        return self._ask(lambda: self._service.commit(self._actor, DATASET, message, store=self.store).id)

    def branch(self, name: str) -> tuple[int, Any]:
        """Create a branch."""
        return self._ask(lambda: self._service.branch(self._actor, DATASET, name, store=self.store).name)

    def read(self) -> tuple[int, Any]:
        """Look at the dataset."""
        return self._ask(
            lambda: self._service.read(self._actor, DATASET, store=self.store).count()["samples"]
        )

    def query(self, name: str) -> tuple[int, Any]:
        """Find one image by its name."""
        return self._ask(
            lambda: len(self._service.read(self._actor, DATASET, store=self.store).ids(f'name = "{name}"'))
        )

    def _ask(self, call: Any) -> tuple[int, Any]:
        try:
            return 200, call()
        except self._error as error:
            return self._status_of(error.code).status, f"{error.code}: {error}"
        except (
            Exception
        ):  # the worker has to tell it, whatever it was: this is what a server would answer 500 to
            return 500, traceback.format_exc()[-600:]


class Http:
    """The HTTP API of a server."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._local = threading.local()

    def upload(self, name: str, data: bytes) -> tuple[int, Any]:
        """Add an image."""
        return self._ask("PUT", f"/datasets/{DATASET}/images/{quote(name)}", data)

    def annotate(self, name: str, source_id: str) -> tuple[int, Any]:
        """Put a box on an image: a COCO file of one box."""
        number = int(source_id)
        coco = {
            "images": [{"id": number, "file_name": name, "width": _SIDE_PX, "height": _SIDE_PX}],
            "categories": [{"id": 1, "name": "car"}],
            "annotations": [
                {
                    "id": number,
                    "image_id": number,
                    "category_id": 1,
                    "bbox": [1, 1, 5, 5],
                    "area": 25,
                    "iscrowd": 0,
                }
            ],
        }
        path = f"/datasets/{DATASET}/imports?format=coco&on_unknown=error&name={number}"
        return self._ask("POST", path, json.dumps(coco).encode())

    def commit(self, message: str) -> tuple[int, Any]:
        """Commit."""
        status, said = self._ask("POST", f"/datasets/{DATASET}/commits", {"message": message})
        return status, said["commit"] if status == 201 else said

    def branch(self, name: str) -> tuple[int, Any]:
        """Create a branch."""
        status, said = self._ask("POST", f"/datasets/{DATASET}/branches", {"name": name})
        return status, said["branch"] if status == 201 else said

    def read(self) -> tuple[int, Any]:
        """Look at the dataset."""
        return self._ask("GET", f"/datasets/{DATASET}")

    def query(self, name: str) -> tuple[int, Any]:
        """Find one image by its name."""
        where = quote(f'name = "{name}"')
        status, said = self._ask("GET", f"/datasets/{DATASET}/samples?where={where}")
        return status, said["total"] if status == 200 else said

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        connection = http.client.HTTPConnection(self._host, timeout=300)
        try:
            connection.request(method, f"/api/v1{path}", body, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, http.client.HTTPException) as error:
            return 599, f"no answer: {error!r}"
        finally:
            connection.close()
        if answer.status >= 400:
            return answer.status, f"{said['code']}: {said['detail']}"
        return answer.status, said


class Told:
    """What happened, one line of JSON for each request. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._lock = threading.Lock()

    def __call__(self, **facts: Any) -> None:
        with self._lock:
            self._file.write(json.dumps(facts) + "\n")
            self._file.flush()


def picture(rng: np.random.Generator) -> bytes:
    """A small image that nobody else has."""
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (_SIDE_PX, _SIDE_PX, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


def work(door: Door, thread: int, until: float, tell: Told) -> None:
    """One thread: requests drawn at random until the time is over."""
    rng, choose = np.random.default_rng(thread), random.Random(thread)
    mine: list[str] = []
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    at = 0
    while time.monotonic() < until:
        at += 1
        kind = choose.choices(kinds, weights)[0] if mine else "upload"
        name, number = f"t{thread}/{at}.png", str(thread * 1_000_000 + at)
        began = time.monotonic()
        if kind == "upload":
            status, said = door.upload(name, picture(rng))
            key: Any = name
        elif kind == "annotate":
            status, said = door.annotate(choose.choice(mine), number)
            key = number
        elif kind == "commit":
            status, said = door.commit(f"by {thread} at {at}")
            key = said
        elif kind == "branch":
            status, said = door.branch(f"b{thread}-{at}")
            key = said
        elif kind == "read":
            status, said = door.read()
            key = ""
        else:
            status, said = door.query(choose.choice(mine))
            key = ""
        waited = time.monotonic() - began
        if status < 300:
            tell(kind=kind, status=status, s=waited, key=key)
            if kind == "upload":
                mine.append(name)
            if kind == "query" and said != 1:
                tell(kind=kind, status=598, s=waited, said=f"{said} images of a name that was acknowledged")
        else:
            tell(kind=kind, status=status, s=waited, said=said)


def main() -> int:
    """All threads of this process."""
    root, url, number, threads, seconds, told = sys.argv[1:]
    tell = Told(Path(told))
    door: Door = Http(url) if url else Api(Path(root))
    until = time.monotonic() + float(seconds)
    running = [
        threading.Thread(target=work, args=(door, 1 + int(number) * 100 + at, until, tell))
        for at in range(int(threads))
    ]
    began = time.monotonic()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    tell(kind="end", threads=len(running), s=time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every page of the app on a small workspace that has something of everything, and what a page must not do."""

from __future__ import annotations

import json
import re
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect
from tests.house.reading import REPO
from tests.support.serving import Served

import calotype as ct
from calotype.foundation.actor import Actor
from calotype.foundation.errors import CalotypeError
from calotype.guidelines import service as guidelines
from calotype.labelling import service as labelling
from calotype.store.store import open_workspace
from calotype.versions.service import merges

AXE = REPO / "web" / "node_modules" / "axe-core" / "axe.min.js"
ROUTE = re.compile(r"\.\.\.in(Workspace|Dataset)\(\"([^\"]*)\"\)")
PIPELINE = """\
pipeline: shop
dataset: shop
stages:
  - acquire: {from: images, licence: CC0-1.0}
  - annotate: {from: instances.json, format: coco, images: images}
  - curate: {split: {train: 0.5, val: 0.25, test: 0.25}, by: scene}
  - check
  - commit: {message: first import}
  - release: {version: 1.0.0}
"""
GUIDELINE = """\
---
changelog: Mirrors belong to the car
examples:
  - {sample: SAMPLE, bbox: [2, 2, 20, 20], caption: with its mirrors, verdict: good}
  - {sample: SAMPLE, caption: the mirrors are cut off, verdict: bad}
---
# Cars

Draw the **whole** car, with its mirrors; see [the rules](https://example.org/rules).

- one box for each car
- `occluded` where something hides a part of it
"""


@dataclass(frozen=True)
class Lived:
    """Names that addresses are made of."""

    sample: str
    run: str
    merge: str
    commit: str
    assignment: str
    review: str


def live_in(folder: Path, raw: Path) -> Lived:
    """Make a workspace and return what its addresses need.

    `shop` is released, checked, merged, half merged and edited; `loose` has no commit, `blank` nothing.
    """
    labels = json.loads((raw / "instances.json").read_text())
    (raw / "pipeline.yaml").write_text(PIPELINE)
    (raw / "contract.yaml").write_text("classes: [car, dog, bus]\n")
    red = PIPELINE.replace("- check\n", "- check: {contract: contract.yaml}\n").replace("1.0.0", "1.1.0")
    (raw / "red.yaml").write_text(red)
    with ct.open(folder) as ws:
        ws.create("blank")
        ws.create("loose").add_images(raw / "images", licence="CC0-1.0")
        run = ws.run(raw / "pipeline.yaml")
        shop = ws.dataset("shop")
        for name, width in (("ana", 22), ("ben", 26)):
            for one in labels["annotations"][:2]:
                one["bbox"][2] = width
            (raw / f"{name}.json").write_text(json.dumps(labels))
            branch = shop.branch(name)
            branch.add_annotations(raw / f"{name}.json", images=raw / "images")
            branch.commit(name)
        shop.merge("ana")
        shop.merge("ben")
        ids = sorted(shop.where().snapshot().ids())
        vectors = np.random.default_rng(5).normal(size=(len(ids), 8)).astype(np.float32)
        shop.put_vectors("own", ids, vectors)
        commit = shop.commit("vectors").id
        shop.check()
        with suppress(CalotypeError):
            ws.run(raw / "red.yaml")
        annotation = shop.where().snapshot().annotations()["ann_id"].to_pylist()[0]
        shop.edit([{"do": "set-class", "annotation": annotation, "class": "dog"}])
        shop.guideline.publish("# Cars\n\nDraw the whole car.")
        shop.guideline.acknowledge()
        shop.guideline.publish(GUIDELINE.replace("SAMPLE", ids[0]), touches=["car", "dog"])
        shop.annotate.batch("first", review=1.0)
        assignment, review = _labelled(ws, folder)
    ana = Actor(id="test:ana", name="ana")
    with closing(open_workspace(folder)) as store:
        (half_merged,) = merges(ana, "shop", store=store, state="open")
    return Lived(ids[0], run.id, half_merged.id, commit, assignment, review)


def _labelled(ws: ct.Workspace, folder: Path) -> tuple[str, str]:
    """An assignment of the local owner, and a review of what somebody else submitted with a question."""
    other = Actor("local:bo", "bo")
    with closing(open_workspace(folder)) as store:
        theirs = labelling.next_work(other, store=store)
        labelling.ask(other, theirs, "car or van?", store=store, class_name="car")
        guidelines.acknowledge(other, "shop", store=store)
        labelling.submit(other, theirs, store=store, active_ms=4_000)
    review = ws.work.next(kind="review").id
    return ws.work.next(kind="annotate").id, review


def addresses(lived: Lived) -> dict[str, str]:
    """Every route of the app with the names filled in, and pages whose address has a state: name to path."""
    known = {"$sample": lived.sample, "$version": "1.0.0", "$run": lived.run, "$assignment": lived.assignment}
    pages: dict[str, str] = {}
    for file in sorted((REPO / "web" / "src" / "rooms").glob("*/routes.tsx")):
        for scope, path in ROUTE.findall(file.read_text("utf-8")):
            route = ("d/shop" if scope == "Dataset" else "") + path.rstrip("/")
            filled = "/".join(known.get(part, part) for part in route.removeprefix("/").split("/"))
            assert "$" not in filled, f"{file.parent.name}: {route} has a name that addresses() does not know"
            pages[route or "/"] = filled
    return pages | {
        "diff of a release": "d/shop/diff?a=release/1.0.0",
        "an open merge": f"d/shop/merges?merge={lived.merge}",
        "a query without matches": "d/shop/samples?where=class+%3D+%22car%22+and+class+%3D+%22bus%22",
        "a query with a mistake": "d/shop/samples?where=clas+%3D",
        "objects": "d/shop/samples?show=objects",
        "objects coloured by score": "d/shop/samples?show=objects&colour=score",
        "objects of one class": "d/shop/samples?show=objects&of=dog",
        "two states side by side": "d/shop/samples?against=release/1.0.0",
        "an object": f"d/shop/samples/{lived.sample}?from=objects&at=0&sort=-name",
        "a commit": f"d/shop?ref={lived.commit[:12]}",
        "a review": f"annotate/{lived.review}",
        "no page": "nowhere",
    }


EXPLAINED = {"a query with a mistake": 422}
"""Pages that show why the server refused, and with which status; the browser notes the refusal in its console."""

BARE = {
    f"{name} {path or '/'}": f"d/{name}{path}"
    for name in ("blank", "loose")
    for path in (
        "",
        "/samples",
        "/checks",
        "/map",
        "/history",
        "/merges",
        "/releases",
        "/guideline",
        "/batches",
    )
}
"""Pages of a dataset without samples, and of one without commits."""


@dataclass
class Watched:
    """A page under watch: what it wrote to the console, and what it asked of others."""

    page: Page
    problems: list[str] = field(default_factory=list)


def watched(context: BrowserContext, server: Served) -> Watched:
    """A page in this context whose console errors, failed requests and foreign requests are noted."""
    context.add_init_script(path=AXE)
    seen = Watched(context.new_page())
    page = seen.page
    page.on("pageerror", lambda error: seen.problems.append(f"error: {error}"))
    page.on(
        "console",
        lambda line: (
            seen.problems.append(f"console {line.type}: {line.text} {line.location.get('url', '')}")
            if line.type in ("error", "warning")
            else None
        ),
    )
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((server.url, "data:", "blob:"))
            else seen.problems.append(f"another origin: {request.url}")
        ),
    )
    return seen


class Traffic:
    """The requests of a page that wait for an answer. Streams of events, which have no end, are left out."""

    def __init__(self, page: Page) -> None:
        self._page, self._waiting, self._n_seen = page, set[Request](), 0
        page.on("request", self._starts)
        page.on("requestfinished", self._ends)
        page.on("requestfailed", self._ends)

    def _starts(self, request: Request) -> None:
        if request.headers.get("accept") != "text/event-stream":
            self._n_seen += 1
            self._waiting.add(request)

    def _ends(self, request: Request) -> None:
        self._waiting.discard(request)

    def settle(self) -> None:
        """Return after half a second without requests, as Playwright's "networkidle" does for pages without streams."""
        n_quiet, n_seen = 0, -1
        while n_quiet < 5:
            n_quiet = n_quiet + 1 if not self._waiting and self._n_seen == n_seen else 0
            n_seen = self._n_seen
            self._page.wait_for_timeout(100)

    def stop(self) -> None:
        self._page.remove_listener("request", self._starts)
        self._page.remove_listener("requestfinished", self._ends)
        self._page.remove_listener("requestfailed", self._ends)


def opened(page: Page, server: Served, path: str) -> None:
    """The page of an address once everything on it is loaded."""
    traffic = Traffic(page)
    page.goto(server.url + path)
    expect(page.get_by_role("main")).to_be_visible()
    traffic.settle()
    traffic.stop()
    expect(page.locator(".loading, .skeleton")).to_have_count(0)


def in_scheme(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Switch the theme of the system, and wait until the page wears it."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)


def violations(page: Page) -> list[str]:
    """What axe objects to on the page as it is now: rule, element, reason."""
    answer: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:160]} ({' '.join(node['failureSummary'].split())[:240]})"
        for rule in answer["violations"]
        for node in rule["nodes"][:4]
    ]


def signed_in(browser: Browser, server: Served, **options: Any) -> BrowserContext:
    """A fresh browser that has opened the server's link and nothing else."""
    context = browser.new_context(**options)
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(server.link)
    expect(page.get_by_role("main")).to_be_visible()
    page.close()
    return context

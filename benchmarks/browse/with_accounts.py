"""What the rules of access cost a page of 100 samples: the same pages with accounts and without, in one run.

    uv run benchmarks/browse/with_accounts.py --samples 1000000 --folder FOLDER

Starts two servers on the workspace that `build.py` writes: `calotype serve --no-token`, where whoever asks is the
owner, and `calotype serve --accounts`, which is asked with the API token of a person who has one grant, on that dataset
only. Other people, teams and datasets exist beside it. Each page is asked from both servers, in turn, so that other
work on the machine slows both. Prints the median and the 95th percentile by the clock, the CPU time of the server for
one page (all its threads), and the ratio. First it prints decisions a CPU second, of which a page needs one.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import build
from run import FILTER, FILTER_OBJECTS, Server, _workspace, cpu_s_of, served

from calotype.app import workspaces
from calotype.datasets import service as datasets
from calotype.datasets.refs import DatasetExists
from calotype.foundation.actor import Actor, Permission
from calotype.people import service as people
from calotype.people import tokens
from calotype.people.model import PersonExists, TeamExists

EMAIL = "page@bench.example"
N_TEAMS, N_PEOPLE, N_DATASETS = 5, 50, 40
GOAL_MS, GOAL_DECISIONS = 100.0, 10_000


@dataclass
class Asked:
    """A server, and how it is asked."""

    server: Server
    headers: dict[str, str]

    def page(self, query: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Seconds and the answer."""
        url = f"{self.server.base}api/v1/datasets/{build.DATASET}/samples?{urlencode(query)}"
        request = urllib.request.Request(url, headers=self.headers)
        start = time.perf_counter()
        with urllib.request.urlopen(request, timeout=600) as answer:
            body = answer.read()
        return time.perf_counter() - start, json.loads(body)


def main() -> None:
    options = _options()
    with _workspace(options.folder, options.samples) as folder:
        token = _people(folder)
        figures: dict[str, Any] = {"decisions_per_cpu_s": _decisions(folder)}
        print(f"decisions a CPU second: {figures['decisions_per_cpu_s']:,.0f} (goal {GOAL_DECISIONS:,})")
        with served(folder, "--no-token") as off, served(folder, "--accounts") as on:
            sides = {"without": Asked(off, {}), "with": Asked(on, {"authorization": f"Bearer {token}"})}
            total = _warm(sides)
            for name, query in _pages(total):
                figures[name] = _compare(name, sides, query, options.pages)
            figures["a query not asked before"] = _compare("a query not asked before", sides, _new_query, 20)
    print(json.dumps(figures, indent=1) if options.json else "")


def _people(folder: Path) -> str:
    """The token of a person with a grant on the dataset, among other people, teams and datasets."""
    owner = Actor.local()
    with closing(workspaces.open_at(folder)) as store:
        for i in range(N_DATASETS):
            with suppress(DatasetExists):
                datasets.create(owner, f"other-{i}", store=store)
        for i in range(N_TEAMS):
            with suppress(TeamExists):
                people.add_team(owner, f"team-{i}", store=store)
        for i in range(N_PEOPLE):
            with suppress(PersonExists):
                people.add_person(owner, f"p{i}@bench.example", f"p{i}", store=store)
                people.add_member(owner, f"team-{i % N_TEAMS}", f"p{i}@bench.example", store=store)
        with suppress(PersonExists):
            people.add_person(owner, EMAIL, "page", store=store)
            people.grant_role(owner, EMAIL, "annotator", on=f"dataset:{build.DATASET}", store=store)
        return tokens.create_token(owner, "benchmark", store=store, days=2, for_email=EMAIL)[1]


def _decisions(folder: Path, n: int = 50_000) -> float:
    """Decisions a CPU second about the datasets of a real workspace, as its server decides."""
    with closing(workspaces.open_at(folder)) as store:
        names = [build.DATASET, *(f"other-{i}" for i in range(N_DATASETS))]
        actor = Actor.local()
        store.guard.visible(actor, Permission.DATASET_READ, names)
        started = time.process_time()
        for i in range(n):
            store.guard.allows(actor, Permission.DATASET_READ, dataset=names[i % len(names)])
        return n / (time.process_time() - started)


def _pages(total: int) -> Iterator[tuple[str, Callable[[random.Random], dict[str, Any]]]]:
    yield "any offset", lambda r: {"limit": 100, "offset": r.randrange(total - 100)}
    yield "query of metadata", lambda r: {"limit": 100, "where": FILTER, "offset": r.randrange(900)}
    yield (
        "query of annotations",
        lambda r: {"limit": 100, "where": FILTER_OBJECTS, "offset": r.randrange(500)},
    )


def _new_query(rng: random.Random) -> dict[str, Any]:
    return {"limit": 100, "where": f"width >= {rng.randrange(100, 1900)}.{rng.randrange(10**6)}"}


def _warm(sides: dict[str, Asked]) -> int:
    """Both servers have read what they keep; returns the number of samples. One person sees one dataset."""
    answers = {name: side.page({"limit": 1})[1]["total"] for name, side in sides.items()}
    assert len(set(answers.values())) == 1, answers
    request = urllib.request.Request(
        f"{sides['with'].server.base}api/v1/datasets", headers=sides["with"].headers
    )
    with urllib.request.urlopen(request, timeout=600) as answer:
        assert [item["name"] for item in json.loads(answer.read())["items"]] == [build.DATASET]
    for _ in range(5):
        for side in sides.values():
            side.page({"limit": 100, "where": FILTER})
            side.page({"limit": 100, "where": FILTER_OBJECTS})
    return int(answers["with"])


def _compare(
    name: str, sides: dict[str, Asked], query: Callable[[random.Random], dict[str, Any]], n: int
) -> dict[str, Any]:
    rng, took = random.Random(7), {side: [] for side in sides}  # type: dict[str, list[float]]
    before = {side: cpu_s_of(asked.server.pid) for side, asked in sides.items()}
    for _ in range(n):
        wanted = query(rng)
        for side, asked in sides.items():
            seconds, answer = asked.page(wanted)
            assert answer["total"] > 0
            took[side].append(seconds * 1e3)
    figures: dict[str, Any] = {"pages": n}
    for side, asked in sides.items():
        cpu_ms = (cpu_s_of(asked.server.pid) - before[side]) / n * 1e3
        times = sorted(took[side])
        figures[side] = {
            "p50_ms": statistics.median(times),
            "p95_ms": times[int(0.95 * (n - 1))],
            "cpu_ms": cpu_ms,
        }
    figures["cpu_ratio"] = figures["with"]["cpu_ms"] / figures["without"]["cpu_ms"]
    shown = "  ".join(
        f"{side}: p50 {f['p50_ms']:6.1f} p95 {f['p95_ms']:6.1f} CPU {f['cpu_ms']:5.1f} ms"
        for side, f in ((side, figures[side]) for side in sides)
    )
    met = "met" if figures["with"]["p95_ms"] < GOAL_MS else "MISSED"
    print(
        f"{name:26} {shown}  CPU with/without {figures['cpu_ratio']:.2f}  goal {GOAL_MS:.0f} ms {met}",
        flush=True,
    )
    return figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the workspace is kept between runs")
    parser.add_argument("--pages", type=int, default=300, help="pages of each kind from each server")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON too")
    return parser.parse_args()


if __name__ == "__main__":
    main()

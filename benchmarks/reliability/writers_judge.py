"""What became of the work of many writers: all that was acknowledged is there, no wait was long, `verify` is green."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.reliability import service as reliability
from calotype.store import Store, open_workspace

_ACTOR = Actor("judge", "judge")
_DATASET = "shop"
TOKEN = "token-of-the-writers-bench"
"""What the servers take and `writers_worker.py` sends."""
WRITES = ("upload", "annotate", "commit", "branch")


def address(line: str) -> str:
    """The address that `calotype --json serve` prints first."""
    return str(json.loads(line)["url"])


def judge(root: Path, told: Sequence[Path], *, max_wait_s: float) -> dict[str, Any]:
    """Figures of a run, and under `wrong` everything that must not happen."""
    lines = [json.loads(line) for path in told if path.exists() for line in path.read_text().splitlines()]
    ends = [one for one in lines if one["kind"] == "end"]
    asked = [one for one in lines if one["kind"] != "end"]
    done = [one for one in asked if one["status"] < 300]
    errors = [one for one in asked if one["status"] >= 500]
    conflicts = [one for one in asked if one["status"] == 409]
    waits = sorted(one["s"] for one in asked)
    store = open_workspace(root)
    try:
        lost = _lost(store, done)
        problems = [str(problem) for problem in reliability.verify(_ACTOR, store=store, deep=True).problems]
    finally:
        store.close()
    seconds = max((end["s"] for end in ends), default=0.0)
    n_writes = sum(one["kind"] in WRITES for one in done)
    wrong = [f"{one['kind']}: {one['status']} {one['said']}" for one in errors[:5]]
    wrong += [f"lost: {one}" for one in lost[:5]]
    wrong += [f"verify: {one}" for one in problems[:5]]
    if len(ends) < len(told):
        wrong.append(f"{len(told) - len(ends)} workers did not come to an end")
    if not n_writes:
        wrong.append("nothing was written")
    if waits and waits[-1] > max_wait_s:
        n_late = sum(wait > max_wait_s for wait in waits)
        wrong.append(f"{n_late} of {len(waits)} requests took more than {max_wait_s:.0f} s")
    return {
        "threads": sum(end["threads"] for end in ends),
        "seconds": seconds,
        "acknowledged": len(done),
        "writes_per_s": n_writes / max(seconds, 1e-9),
        "conflicts": len(conflicts),
        "errors": len(errors),
        "lost": len(lost),
        **_waits(waits),
        "kinds": {
            kind: _kind([one for one in asked if one["kind"] == kind])
            for kind in {one["kind"] for one in asked}
        },
        "wrong": wrong,
    }


def _kind(asked: list[dict[str, Any]]) -> dict[str, Any]:
    refused = Counter(
        str(one["said"]).partition(":")[0] if one["status"] < 500 else str(one["status"])
        for one in asked
        if one["status"] >= 300
    )
    done = [one for one in asked if one["status"] < 300]
    return {"n": len(done), "codes": refused, **_waits(sorted(one["s"] for one in asked))}


def _waits(waits: list[float]) -> dict[str, float]:
    at = {"p50_s": 0.5, "p95_s": 0.95, "longest_s": 1.0}
    return {
        name: waits[min(int(len(waits) * share), len(waits) - 1)] if waits else 0.0
        for name, share in at.items()
    }


def _lost(store: Store, done: list[dict[str, Any]]) -> list[str]:
    state = datasets.read(_ACTOR, _DATASET, store=store)
    present = {
        "upload": Counter(state.samples(columns=["name"])["name"].to_pylist()),
        "annotate": Counter(state.annotations(columns=["source_id"])["source_id"].to_pylist()),
        "commit": Counter(one.id for one in datasets.log(_ACTOR, _DATASET, store=store, limit=1_000_000)),
        "branch": Counter(one.name for one in datasets.list_refs(_ACTOR, _DATASET, store=store)),
    }
    acknowledged = [(one["kind"], one["key"]) for one in done if one["kind"] in WRITES]
    lost = [f"{kind} {key}" for kind, key in acknowledged if present[kind][key] != 1]
    n_uploads = sum(kind == "upload" for kind, _ in acknowledged)
    if len(present["upload"]) != n_uploads:
        lost.append(f"{n_uploads} uploads were acknowledged, the dataset has {len(present['upload'])} images")
    return lost

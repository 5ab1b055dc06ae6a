"""Fail the n-th storage call of each verb, for every n: the workspace is as before or as after, never between.

    uv run python benchmarks/reliability/calls.py                        # every call of every verb, three faults
    uv run python benchmarks/reliability/calls.py --verb add --every 5   # every fifth call of one verb

A small library (`failing_calls.c`, built with `cc`) is loaded before the C library, so calls of Python, SQLite and
Lance are counted alike: creating, writing, flushing, renaming, linking and removing below the workspace. Each round
copies a prepared workspace, runs the verb in a forked process with one fault, and judges in another: `verify --deep` is
green, the contents are those before the verb or those after it (after it, if the verb returned), and the same verb, run
again, arrives at those after it. Exit code 1 when anything differs, or when an error is not one of ours.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shop
from shop import ACTOR, DATASET, Child, Tell, Told, copy_of, forked

from calotype.acquire import service as acquire
from calotype.acquire.labels import service as labels
from calotype.acquire.labels.model import ImportOptions
from calotype.app import wiring
from calotype.curate import service as curate
from calotype.curate.model import SplitSpec
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.refs import split_name
from calotype.foundation.errors import CalotypeError
from calotype.release import service as releases
from calotype.release.model import ReleaseSpec
from calotype.reliability import service as reliability
from calotype.store import Store, open_workspace
from calotype.versions import service as versions
from calotype.vision.ontology import Ontology

HERE = Path(__file__).resolve().parent
MODES = {"disk full": 1, "input/output error": 2, "short write": 3}
_BUILT = "CALOTYPE_FAILING_CALLS"
_BUCKET = "CALOTYPE_CALLS_BUCKET"
Verb = Callable[[Store, Path], object]


def add(store: Store, project: Path) -> object:
    """Images."""
    return acquire.add(ACTOR, DATASET, [project / "more"], store=store)


def import_labels(store: Store, project: Path) -> object:
    """A COCO file with its images."""
    options = ImportOptions(format="coco", images=project / "more")
    return labels.import_annotations(ACTOR, DATASET, project / "labels.json", options, store=store)


def commit(store: Store, _project: Path) -> object:
    """Pending edits of several tables."""
    return datasets.commit(ACTOR, DATASET, "work", store=store)


def merge(store: Store, _project: Path) -> object:
    """A branch into main; both have changes."""
    return versions.merge(ACTOR, DATASET, "side", store=store)


def release(store: Store, _project: Path) -> object:
    """A version with its files; splits and commit are there."""
    keeper = wiring.gatekeeper(store)
    spec = ReleaseSpec(formats=("coco",))
    return releases.release(
        ACTOR, DATASET, "1.0.0", spec, store=store, gatekeeper=keeper, splitter=wiring.splitter
    )


def gc(store: Store, _project: Path) -> object:
    """Compaction, then removal without a grace period."""
    return reliability.gc(ACTOR, store=store, grace_s=0, always_compact=True)


def backup(store: Store, _project: Path) -> object:
    """A backup into a folder of the workspace."""
    return reliability.backup(ACTOR, str(store.root / "backups"), store=store)


def move(store: Store, _project: Path) -> object:
    """Media and tables to a bucket of a server on this machine; run again, it resumes or finds the work done."""
    return reliability.move(ACTOR, store=store, bucket=f"{os.environ[_BUCKET]}/{store.root.name}")


VERBS: dict[str, Verb] = {
    "add": add,
    "import": import_labels,
    "commit": commit,
    "merge": merge,
    "release": release,
    "gc": gc,
    "backup": backup,
    "move": move,
}
_CLEAN = ("merge", "release")
"""Verbs that start without pending edits."""


@dataclass
class Row:
    """What became of the rounds of one verb with one fault."""

    verb: str
    fault: str
    calls: int
    returned: int = 0
    before: int = 0
    after: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Run all rounds and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--verb", action="append", choices=VERBS)
    parser.add_argument("--fault", action="append", choices=MODES)
    parser.add_argument("--every", type=int, default=1, help="take every N-th call only")
    options = parser.parse_args()
    if _BUILT not in os.environ:
        return _again_with_library()
    warnings.filterwarnings(
        "ignore", message="lance is not fork-safe"
    )  # nothing of Lance is open when we fork
    library = ctypes.CDLL(os.environ[_BUILT])
    rows = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="calotype-calls-"))).resolve()
        if "move" in (options.verb or VERBS):
            _serve_bucket(stack)
        pending = shop.prepare(folder)
        project = folder / "project"
        _write_labels(project)
        clean = folder / "clean"
        subprocess.run(["cp", "-r", str(pending), str(clean)], check=True)
        forked(lambda tell: _tidy(clean, tell))
        print("| verb | fault | calls | returned | as before | as after | wrong |")
        print("| --- | --- | --: | --: | --: | --: | --: |")
        for verb in options.verb or VERBS:
            base = clean if verb in _CLEAN else pending
            for fault in options.fault or MODES:
                row = _rounds(base, project, verb, fault, library, every=options.every)
                rows.append(row)
                cells = (verb, fault, row.calls, row.returned, row.before, row.after, len(row.wrong))
                print(f"| {' | '.join(map(str, cells))} |", flush=True)
    wrong = [text for row in rows for text in row.wrong]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


def _again_with_library() -> int:
    """Build the library and start again with it loaded first."""
    with tempfile.TemporaryDirectory(prefix="calotype-calls-") as folder:
        built = f"{folder}/failing_calls.so"
        source = str(HERE / "failing_calls.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True)
        environment = os.environ | {"LD_PRELOAD": built, _BUILT: built}
        return subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode


def _serve_bucket(stack: ExitStack) -> None:
    """Start an S3 server on this machine with an empty bucket."""
    sys.path.insert(0, str(HERE.parents[1]))
    from tests.support.servers import running_s3

    library = os.environ.pop("LD_PRELOAD")  # the server's own calls must not fail
    server = stack.enter_context(running_s3())
    os.environ["LD_PRELOAD"] = library
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret"}
    os.environ |= {"AWS_ENDPOINT_URL": server.endpoint, **keys}
    os.environ[_BUCKET] = server.fresh().url


def _write_labels(project: Path) -> None:
    images = [
        {"id": number, "file_name": f"more-{number}.png", "width": 32, "height": 24} for number in range(8)
    ]
    boxes = [
        {"id": number, "image_id": number % 8, "category_id": 1, "bbox": [1 + number, 2, 5, 6], "area": 30}
        for number in range(16)
    ]
    document = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "thing"}]}
    shop.json.dump(document, (project / "labels.json").open("w"))


def _tidy(root: Path, tell: Tell) -> None:
    """Commit what is pending, and assign splits."""
    store = open_workspace(root)
    apply(ACTOR, DATASET, lambda _: Change(ontology=Ontology().add("thing")), store=store)
    datasets.commit(ACTOR, f"{DATASET}@side", "side", store=store)
    curate.split(ACTOR, DATASET, SplitSpec({"train": 0.5, "val": 0.25, "test": 0.25}), store=store)
    datasets.commit(ACTOR, DATASET, "main", store=store)
    store.catalog.engine.raw_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    tell({"done": True})


def _rounds(base: Path, project: Path, verb: str, fault: str, library: Any, *, every: int) -> Row:
    folder = base.parent
    before = _contents_of(base)
    with copy_of(base, folder) as root:
        told = _run(root, project, verb, library, 0, MODES[fault])
        n_calls = next(one["calls"] for one in told if "calls" in one)
        after = _contents_of(root)
    row = Row(verb, fault, n_calls)
    for n in range(1, n_calls + 1, every):
        with copy_of(base, folder) as root:
            told = _run(root, project, verb, library, n, MODES[fault])
            _judge(root, project, told, row, f"{verb}, {fault} at call {n}", before, after)
    return row


def _run(root: Path, project: Path, verb: str, library: Any, n: int, mode: int) -> list[Told]:
    """The verb in a forked process, with the n-th call failing (0: none)."""

    def task(tell: Tell) -> None:
        library.calotype_arm(str(root).encode(), ctypes.c_long(n), mode)
        try:
            store = open_workspace(root)
            VERBS[verb](store, project)
            tell({"returned": True})
            store.close()
        finally:
            tell({"calls": library.calotype_disarm()})

    return Child(task).end()


def _contents(store: Store) -> dict[str, Any]:
    """What the workspace holds, without ids and times."""
    held: dict[str, Any] = {"in the folder": store.storage.embedded}
    for info in datasets.datasets(ACTOR, store=store):
        for branch in ("main", "side"):
            name = f"{info.name}@{branch}"
            state = datasets.read(ACTOR, f"{name}+", store=store)  # with what is not committed
            samples = sorted(
                [sample.name, sample.split, str(sorted(sample.metadata.items()))]
                for sample in state.iter_samples()
            )
            log = [commit.message for commit in datasets.log(ACTOR, name, store=store)]
            held[name] = [samples, state.count()["annotations"], log]
        made = releases.releases(ACTOR, split_name(info.name)[0], store=store)
        held[f"{info.name} releases"] = [release.version for release in made]
        for release_ in made:
            manifest = store.root / "releases" / info.name / release_.version / "manifest.json"
            held[f"{info.name} {release_.version}"] = manifest.is_file()
    return held


def _contents_of(root: Path) -> dict[str, Any]:
    def task(tell: Tell) -> None:
        tell({"contents": _contents(open_workspace(root))})

    return next(one["contents"] for one in forked(task) if "contents" in one)


def _judge(
    root: Path,
    project: Path,
    told: list[Told],
    row: Row,
    where: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    returned = any("returned" in one for one in told)
    row.returned += returned
    row.wrong += [
        f"{where}: not one of our errors: {one['failed'][-400:]}" for one in told if "failed" in one
    ]

    def task(tell: Tell) -> None:
        store = open_workspace(root)
        problems = [str(problem) for problem in reliability.verify(ACTOR, store=store, deep=True).problems]
        held = _contents(store)
        again = ""
        try:
            if held != after or before == after:
                VERBS[row.verb](store, project)
        except CalotypeError as error:
            again = str(error)
        store.close()
        store = open_workspace(root)  # where a move has put it
        problems += [f"after the second run: {p}" for p in reliability.verify(ACTOR, store=store).problems]
        tell({"problems": problems, "held": held, "again": again, "second": _contents(store)})

    heard = Child(task).end()
    judged = next((one for one in heard if "held" in one), None)
    if judged is None:
        row.wrong.append(f"{where}: the workspace cannot be judged: {str(heard)[-600:]}")
        return
    row.after += judged["held"] == after and before != after
    row.before += judged["held"] == before
    if judged["held"] not in (before, after):
        differs = [key for key in after if judged["held"].get(key) not in (before.get(key), after[key])]
        row.wrong.append(f"{where}: between in {differs or 'the combination of several places'}")
    if returned and judged["held"] != after:
        row.wrong.append(f"{where}: it returned, and nothing is there")
    if judged["second"] != after or judged["again"]:
        row.wrong.append(f"{where}: run again it ends with {judged['again'] or 'something else'}")
    row.wrong += [f"{where}: {problem}" for problem in judged["problems"]]


if __name__ == "__main__":
    sys.exit(main())

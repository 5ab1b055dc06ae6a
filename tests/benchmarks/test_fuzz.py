"""The fuzzer: a short run of every kind, and proof that it sees what it looks for."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from calotype.exchange.registry import READABLE
from calotype.formats.base import LabelFileUnreadable

FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz"
EARLIER = ("coco", "yolo", "voc", "folders", "images", "contracts", "pipelines")
NEWER = tuple(name for name in READABLE if name not in ("coco", "yolo", "voc", "folder"))
KINDS = (*EARLIER, *NEWER)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FUZZ))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


@pytest.mark.slow
def test_two_hundred_mutants_of_each_earlier_kind_crash_hang_and_lose_nothing(tmp_path: Path) -> None:
    words = [sys.executable, str(FUZZ / "run.py"), "--mutants", "200", "--seed", "7", "--workers", "2"]
    words += ["--format", *EARLIER]
    done = subprocess.run([*words, "--keep", str(tmp_path)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(EARLIER)]
    assert (done.returncode, len(lines)) == (0, len(EARLIER)), done.stdout[-4_000:] + done.stderr[-2_000:]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", NEWER)
def test_some_mutants_of_each_newer_format_crash_and_lose_nothing(module: Any, kind: str) -> None:
    workers = module("workers")
    job = workers.Job(kind, 20, 7, 0.0)
    outcomes = [workers.outcome_of(job, number) for number in range(job.n)]
    assert [outcome for outcome in outcomes if outcome.what in ("crash", "silent")] == []
    assert "accepted" in {outcome.what for outcome in outcomes}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutant_is_the_same_each_time_and_the_set_it_starts_from_is_valid(module: Any, kind: str) -> None:
    workers, judge, mutants, sets = (module(name) for name in ("workers", "judge", "mutants", "sets"))
    job = workers.Job(kind, 10, 3, 0.0)
    assert workers.made(job, 4) == workers.made(job, 4)
    base = sets.base(kind, workers.rng_of(job, 4))
    assert mutants.mutate(base, []) == base
    assert judge.judge(kind, base, whole=False).what == "accepted"


def test_what_is_lost_without_a_word_is_seen(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    workers, judge, sets = (module(name) for name in ("workers", "judge", "sets"))
    job = workers.Job("coco", 1, 3, 0.0)
    base = sets.base("coco", workers.rng_of(job, 0))
    monkeypatch.setattr(judge.said, "by_coco", lambda _: (99, None))
    outcome = judge.judge("coco", base, whole=False)
    assert (outcome.what, "99 rows in the files" in outcome.detail) == ("silent", True)


def test_an_error_that_nobody_expects_is_a_crash(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    workers, judge = module("workers"), module("judge")

    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr(judge, "judge", fails)
    outcome = workers.outcome_of(workers.Job("voc", 1, 3, 0.0), 0)
    assert (outcome.what, outcome.code.startswith("ZeroDivisionError at test_fuzz.py")) == ("crash", True)


def test_every_readable_format_has_mutants(module: Any) -> None:
    assert sorted(module("sets").LABELS.values()) == sorted(READABLE)


def test_a_file_outside_the_folder_that_is_opened_is_seen(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, reading, sets, workers = (module(name) for name in ("judge", "reading", "sets", "workers"))
    base = sets.base("voc", workers.rng_of(workers.Job("voc", 1, 3, 0.0), 0))
    read = reading.detected

    def opens(folder: Path) -> Any:
        (folder / ".." / "outside" / "a.png").read_bytes()
        return read(folder)

    monkeypatch.setattr(reading, "detected", opens)
    outcome = judge.judge("voc", base, whole=False)
    assert (outcome.what, "opened outside the folder" in outcome.detail) == ("silent", True)


def test_a_refusal_without_a_place_is_seen(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    judge, reading, sets, workers = (module(name) for name in ("judge", "reading", "sets", "workers"))
    base = sets.base("voc", workers.rng_of(workers.Job("voc", 1, 3, 0.0), 0))

    def refuses(*_: Any) -> None:
        raise LabelFileUnreadable(file="x", format="VOC", detail="no reason", hint="none")

    monkeypatch.setattr(reading, "read", refuses)
    outcome = judge.judge("voc", base, whole=False)
    assert (outcome.what, "refused without a place" in outcome.detail) == ("silent", True)

"""The request fuzzer in short: no answer is 5xx, everything half-sent is closed, memory stays bounded."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.fuzz.hostile_requests import Builder, World
from tests.support.described import document

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_hostile_requests_get_no_5xx():
    script = REPO / "benchmarks" / "fuzz" / "requests.py"
    words = [
        "--requests",
        "1500",
        "--seed",
        "7",
        "--large-mb",
        "20",
        "--half-sent",
        "10",
        "--connections",
        "4",
    ]
    done = subprocess.run(
        [sys.executable, str(script), *words],
        capture_output=True,
        text=True,
        timeout=800,
        env={**os.environ, "PYTHONPATH": str(REPO / "src")},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_the_same_seed_makes_the_same_requests():
    def made(seed: int) -> list[str]:
        world = World(ids={"dataset": ["shop"]}, images=[b"png"], labels=[b"{}"], token="t")
        builder = Builder(document(), world, random.Random(seed))
        return [builder.request().bytes_shown for _ in range(200)]

    assert made(1) == made(1) != made(2)


def test_every_operation_is_asked_and_every_body_gets_a_large_one():
    world = World(ids={"dataset": ["shop"]}, images=[b"png"], labels=[b"{}"], token="t")
    builder = Builder(document(), world, random.Random(1))
    operations = [op for methods in document()["paths"].values() for op in methods.values()]
    asked = {builder.request().label for _ in range(3_000)}
    assert {operation["operationId"] for operation in operations} <= asked
    with_body = {operation["operationId"] for operation in operations if "requestBody" in operation}
    large = list(builder.large(3_000_000))
    assert {request.label for request in large} == with_body
    assert all(sum(map(len, request.body())) >= 3_000_000 for request in large)

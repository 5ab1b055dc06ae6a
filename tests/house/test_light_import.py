"""`import calotype` is quick and loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    "lance",
    "pyarrow",
    "fastapi",
    "starlette",
    "uvicorn",
    "typer",
    "torch",
    "duckdb",
    "sklearn",
    "scipy",
)
BUDGET_CPU_S = 0.3
PROBE = """
import sys, time
import json
before = set(sys.modules)
start = time.process_time()
import calotype
took = time.process_time() - start
print(json.dumps({"took_s": took, "modules": sorted(m for m in set(sys.modules) - before if "." not in m)}))
"""


@pytest.fixture(scope="module")
def imports():
    """Three imports in processes of their own."""
    command = [sys.executable, "-c", PROBE]
    return [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)]


@pytest.mark.parametrize("name", HEAVY)
def test_importing_calotype_leaves_the_heavy_library_alone(imports, name):
    assert name not in imports[0]["modules"]


def test_importing_calotype_is_within_its_budget_of_processor_time(imports):
    assert min(run["took_s"] for run in imports) < BUDGET_CPU_S

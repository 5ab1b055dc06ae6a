"""A pytest plug-in for tests of a dataset, which are run by pytest and by `calotype check --tests`.

    def test_every_night_image_has_lights(dataset):
        for sample in dataset.where('light = "night"'):
            assert ..., dataset.fault(sample, "no traffic light is labelled")

    pytest --calotype-workspace streets --calotype-dataset crossings tests/data

The plug-in is installed with Calotype and does nothing until a test uses `dataset`, `view` or `workspace`. This module
imports nothing heavy, because pytest imports it in every project.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from calotype.api.dataset import Dataset, View
    from calotype.api.workspace import Workspace

_RESULTS = pytest.StashKey[list[dict[str, Any]]]()
_FAULTS = pytest.StashKey[list[dict[str, str]]]()
_MAX_FAULTS = 10_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of data tests."""
    group = parser.getgroup("calotype", "tests of data")
    group.addoption(
        "--calotype-workspace", default=None, help="Folder of the workspace; default: the nearest parent."
    )
    group.addoption("--calotype-dataset", default=None, help="Dataset under test: NAME or NAME@REF.")
    group.addoption("--calotype-results", default=None, help="Write the results to this JSON file.")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the results, and register the marker."""
    config.stash[_RESULTS] = []
    config.addinivalue_line(
        "markers", "data(severity): severity of a failing data test: error, warning or info"
    )


@pytest.fixture(scope="session")
def workspace(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """The workspace under test."""
    import calotype  # heavy, so only imported if a test uses data

    folder = request.config.getoption("--calotype-workspace") or os.environ.get("CALOTYPE_WORKSPACE")
    with calotype.open(folder or Path.cwd()) as opened:
        yield opened


class Tested:
    """The handle of the dataset under test, with a method to report the samples that are wrong."""

    def __init__(self, dataset: Dataset, faults: list[dict[str, str]]) -> None:
        self._dataset = dataset
        self._faults = faults

    def fault(self, sample: Any, reason: str) -> str:
        """Report a wrong sample, which counts as one finding. Returns a message for `assert ..., fault(...)`."""
        name, sample_id = getattr(sample, "name", str(sample)), getattr(sample, "sample_id", "")
        if len(self._faults) < _MAX_FAULTS:
            self._faults.append(
                {"sample": str(name), "sample_id": str(sample_id), "reason": str(reason)[:1_000]}
            )
        return f"{name}: {reason}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)


@pytest.fixture
def dataset(workspace: Workspace, request: pytest.FixtureRequest) -> Tested:
    """The dataset under test: `--calotype-dataset`, or the only dataset of the workspace."""
    name = request.config.getoption("--calotype-dataset") or os.environ.get("CALOTYPE_DATASET")
    names = workspace.datasets()
    if not name and len(names) != 1:
        pytest.fail(
            f"name the dataset with --calotype-dataset; the workspace has: {', '.join(names) or 'none'}"
        )
    faults: list[dict[str, str]] = []
    request.node.stash[_FAULTS] = faults
    return Tested(workspace.dataset(name or names[0]), faults)


@pytest.fixture
def view(dataset: Tested) -> View:
    """A view of all samples of the dataset under test."""
    samples: View = dataset.where()
    return samples


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record the outcome of each test that uses data."""
    report = yield
    uses_data = bool({"dataset", "view", "workspace"} & set(getattr(item, "fixturenames", ())))
    is_final = report.when == "call" or (report.when == "setup" and not report.passed)
    if uses_data and is_final:
        marker = item.get_closest_marker("data")
        reason = call.excinfo.exconly(tryshort=True) if call.excinfo is not None else ""
        item.config.stash[_RESULTS].append(
            {
                "test": item.nodeid,
                "outcome": report.outcome,
                "reason": reason[:2_000],
                "seconds": report.duration,
                "severity": str(marker.kwargs.get("severity", "error")) if marker else "error",
                "faults": item.stash.get(_FAULTS, []),
            }
        )
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the results to the file of `--calotype-results`."""
    file = session.config.getoption("--calotype-results")
    if file:
        Path(file).write_text(json.dumps(session.config.stash[_RESULTS]), encoding="utf-8")

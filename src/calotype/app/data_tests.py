"""pytest for data: tests of a dataset in Python, beside the team's code, run by pytest and by `calotype check --tests`.

    def test_every_night_image_has_lights(dataset):
        for sample in dataset.where('light = "night"'):
            assert ..., dataset.fault(sample, "no light is marked")

    pytest --calotype-workspace streets --calotype-dataset crossings tests/data

The plug-in comes with Calotype and does nothing until a test asks for `dataset`, `view` or `workspace`. This file
loads nothing heavy, because pytest loads it in every project.
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
_MOST_FAULTS = 10_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of data tests."""
    group = parser.getgroup("calotype", "tests of data")
    group.addoption(
        "--calotype-workspace", default=None, help="Folder of the workspace; default: found from here upward."
    )
    group.addoption("--calotype-dataset", default=None, help="The dataset under test: NAME or NAME@REF.")
    group.addoption("--calotype-results", default=None, help="Write what the tests say to this JSON file.")


def pytest_configure(config: pytest.Config) -> None:
    """Make room for results, and say what the marker means."""
    config.stash[_RESULTS] = []
    config.addinivalue_line(
        "markers", "data(severity): the severity of a data test that fails: error, warning or info"
    )


@pytest.fixture(scope="session")
def workspace(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """The workspace under test."""
    import calotype  # heavy, and only where a test asks for data

    folder = request.config.getoption("--calotype-workspace") or os.environ.get("CALOTYPE_WORKSPACE")
    with calotype.open(folder or Path.cwd()) as opened:
        yield opened


class Tested:
    """The dataset under test, as its handle, and a way to say at which sample something is wrong."""

    def __init__(self, dataset: Dataset, faults: list[dict[str, str]]) -> None:
        self._dataset = dataset
        self._faults = faults

    def fault(self, sample: Any, reason: str) -> str:
        """Note that a sample is wrong; gates count it as one finding. Answers the reason, for `assert ...,
        fault(...)`."""
        name, number = getattr(sample, "name", str(sample)), getattr(sample, "sample_id", "")
        if len(self._faults) < _MOST_FAULTS:
            self._faults.append(
                {"sample": str(name), "sample_id": str(number), "reason": str(reason)[:1_000]}
            )
        return f"{name}: {reason}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)


@pytest.fixture
def dataset(workspace: Workspace, request: pytest.FixtureRequest) -> Tested:
    """The dataset under test: `--calotype-dataset`, or the only one of the workspace."""
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
    """All samples of the dataset under test, to count and query."""
    found: View = dataset.where()
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what became of each test that asked for data."""
    report = yield
    asked = {"dataset", "view", "workspace"} & set(getattr(item, "fixturenames", ()))
    over = report.when == "call" or (report.when == "setup" and not report.passed)
    if asked and over:
        marker = item.get_closest_marker("data")
        said = call.excinfo.exconly(tryshort=True) if call.excinfo is not None else ""
        item.config.stash[_RESULTS].append(
            {
                "test": item.nodeid,
                "outcome": report.outcome,
                "reason": said[:2_000],
                "seconds": report.duration,
                "severity": str(marker.kwargs.get("severity", "error")) if marker else "error",
                "faults": item.stash.get(_FAULTS, []),
            }
        )
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the results where they are wanted."""
    file = session.config.getoption("--calotype-results")
    if file:
        Path(file).write_text(json.dumps(session.config.stash[_RESULTS]), encoding="utf-8")

"""The runs over HTTP: a list, one with its stages, nothing of what may not be seen."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.support.images import folder_of_images

from calotype.app import wiring
from calotype.foundation.errors import NotPermitted
from calotype.foundation.http import Session
from calotype.pipeline import routes, service
from calotype.pipeline.model import Acquire, Commit, Pipeline
from calotype.pipeline.runs import RunNotFound


@pytest.fixture
def made(workspace, owner, tmp_path):
    """One run of a small pipeline."""
    folder_of_images(tmp_path / "images", 3)
    stages = (Acquire(path="images"), Commit(message="all"))
    pipeline = Pipeline(name="small", dataset="shop", stages=stages, folder=tmp_path)
    return service.run(owner, pipeline, store=workspace, ports=wiring)


def test_a_run_has_the_shape_that_the_pages_read(workspace, owner, made):
    ask = Session(owner, workspace, SimpleNamespace())
    listed = routes.list_runs(ask, dataset="shop", limit=10).items
    assert [(run.id, run.dataset, run.pipeline, run.state) for run in listed] == [
        (made.id, "shop", "small", "done")
    ]
    shown = routes.show_run(made.id, ask)
    assert [stage.kind for stage in shown.stages] == ["acquire", "commit"]
    assert shown.stages[0].outputs["added"] == 3
    assert shown.error is None


def test_who_may_not_read_sees_no_run(workspace, owner, made):
    stranger = type(owner)(id="test:bo", name="bo", roles=())
    ask = Session(stranger, workspace, SimpleNamespace())
    assert routes.list_runs(ask, dataset=None, limit=10).items == []
    with pytest.raises(RunNotFound):
        routes.show_run(made.id, ask)
    with pytest.raises(NotPermitted):
        routes.list_runs(ask, dataset="shop", limit=10)

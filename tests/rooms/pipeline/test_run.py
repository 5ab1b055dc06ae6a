"""A pipeline does what is missing, nothing twice, stops at a red gate and is run by one process at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.images import draw, folder_of_images

from calotype.acquire import service as acquire
from calotype.app import wiring
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.clock import now_us
from calotype.foundation.errors import External
from calotype.pipeline import engine, repository, service, stages, text, worker
from calotype.pipeline.model import Acquire, Commit, Pipeline
from calotype.pipeline.runs import (
    JobLeaseLost,
    PipelineGateRed,
    PipelineReleaseTaken,
    PipelineRunning,
    RunNotFound,
    State,
)
from calotype.reliability import service as reliability

STREETS = """\
pipeline: streets
dataset: shop
stages:
  - acquire: {from: images, licence: CC0-1.0}
  - annotate: {from: labels.json, format: coco}
  - transform: {classes: {car: vehicle}}
  - curate: {split: {train: 0.5, val: 0.25, test: 0.25}}
  - augment:
      recipe: {name: turn, steps: [{flip: {axis: horizontal}}, {noise: {sigma: [1, 4]}}]}
      splits: [train]
  - check: {gate: stop}
  - commit: {message: first}
  - release: {version: 1.0.0}
"""


def labels(folder: Path, n: int) -> None:
    images = [{"id": i, "file_name": f"image-{i:03d}.png", "width": 96, "height": 64} for i in range(n)]
    boxes = [{"id": i, "image_id": i, "category_id": i % 2, "bbox": [4, 5, 20, 10]} for i in range(n)]
    classes = [{"id": 0, "name": "car"}, {"id": 1, "name": "dog"}]
    value = {"images": images, "annotations": boxes, "categories": classes}
    (folder / "labels.json").write_text(json.dumps(value))


@pytest.fixture
def raw(tmp_path):
    """12 pictures, their labels, and the pipeline above."""
    folder = tmp_path / "project"
    folder_of_images(folder / "images", 12, suffix=".png")
    labels(folder, 12)
    (folder / "pipeline.yaml").write_text(STREETS)
    return folder


@pytest.fixture
def go(workspace, owner, raw):
    """Run the pipeline as it lies on disk now, or a given one."""

    def run(pipeline: Pipeline | None = None):
        asked = pipeline or text.load(raw / "pipeline.yaml")
        return service.run(owner, asked, store=workspace, ports=wiring)

    return run


def outputs(report, kind):
    return next(dict(stage.outputs) for stage in report.stages if stage.kind == kind)


def test_a_second_run_finds_nothing_to_do_and_makes_no_commit(go, workspace, owner):
    first = go()
    assert [stage.state for stage in first.stages][:5] == [State.DONE] * 5
    assert outputs(first, "acquire")["added"] == 12
    assert outputs(first, "augment")["made"] == 6
    state = datasets.read(owner, "shop", store=workspace)
    assert state.by_class() == {"vehicle": 9, "dog": 9}
    commits = len(datasets.log(owner, "shop", store=workspace))
    second = go()
    assert {stage.state for stage in second.stages} == {State.UNCHANGED}
    assert not second.changed
    assert outputs(second, "acquire") == {"added": 0, "unchanged": 12}
    assert len(datasets.log(owner, "shop", store=workspace)) == commits
    assert datasets.read(owner, "shop", store=workspace).state_sha256 == state.state_sha256


@pytest.mark.slow
def test_one_new_image_is_the_only_one_that_is_worked_on(go, raw):
    go()
    draw(99).save(raw / "images" / "image-012.png")
    labels(raw, 13)
    (raw / "pipeline.yaml").write_text(STREETS.replace("1.0.0", "1.1.0"))
    again = go()
    assert outputs(again, "acquire")["added"] == 1
    assert outputs(again, "annotate")["added"] == 1
    assert outputs(again, "augment")["made"] <= 1
    assert outputs(again, "release")["version"] == "1.1.0"


@pytest.mark.slow
def test_new_data_under_a_released_version_is_refused(go, raw):
    go()
    draw(99).save(raw / "images" / "image-012.png")
    with pytest.raises(PipelineReleaseTaken) as told:
        go()
    assert "raise the version" in told.value.remedy


def test_a_release_keeps_its_purpose_and_another_one_needs_another_version(go, raw):
    text = STREETS.replace("{version: 1.0.0}", "{version: 1.0.0, purpose: training}")
    (raw / "pipeline.yaml").write_text(text)
    assert outputs(go(), "release")["version"] == "1.0.0"
    assert outputs(go(), "release")["version"] == "1.0.0"
    (raw / "pipeline.yaml").write_text(text.replace("purpose: training", "purpose: ads"))
    with pytest.raises(PipelineReleaseTaken):
        go()


def test_what_a_rollback_took_away_is_brought_back(go, raw, workspace, owner):
    listed = (Acquire(path="images"), Commit(message="all"))
    small = Pipeline(name="small", dataset="shop", stages=listed, folder=raw)
    datasets.create(owner, "shop", store=workspace)
    acquire.add(owner, "shop", [raw / "images" / "image-000.png"], store=workspace)
    base = datasets.commit(owner, "shop", "base", store=workspace)
    assert outputs(go(small), "acquire")["added"] == 11
    datasets.rollback(owner, "shop", base.id, store=workspace)
    assert outputs(go(small), "acquire")["added"] == 11


def test_what_a_person_corrected_stays_while_the_label_file_stays(go, raw, workspace, owner):
    go()
    state = datasets.read(owner, "shop", store=workspace)
    first = next(one for listed in state.annotations_of(state.ids()).values() for one in listed)
    better = replace(first, bbox_xywh_px=(1.0, 2.0, 3.0, 4.0))
    datasets.apply(owner, "shop", Change(put_annotations={"ground_truth": [better]}), store=workspace)
    (raw / "pipeline.yaml").write_text(STREETS.replace("1.0.0", "1.1.0"))
    assert go().stages[1].state is State.UNCHANGED
    state = datasets.read(owner, "shop", store=workspace)
    kept = next(one for one in state.annotations_of([first.sample_id])[first.sample_id])
    assert kept.bbox_xywh_px == better.bbox_xywh_px


def test_a_run_goes_on_where_a_failed_one_stopped(go, raw, workspace, owner):
    hidden = raw / "labels.json"
    hidden.rename(raw / "away.json")
    with pytest.raises(LookupError):
        go()
    failed = service.get(owner, service.runs(owner, store=workspace)[0].id, store=workspace)
    assert failed.state is State.FAILED
    assert [str(stage.state) for stage in failed.stages[:3]] == ["done", "failed", "waiting"]
    (raw / "away.json").rename(hidden)
    again = go()
    assert again.stages[0].state is State.UNCHANGED
    assert again.stages[1].state is State.DONE
    assert again.state is State.DONE


def test_a_gate_that_is_not_green_stops_the_run_unless_told_to_go_on(go, raw):
    (raw / "contract.yaml").write_text("classes: [vehicle, dog, bus]\n")
    asked = STREETS.replace("check: {gate: stop}", "check: {contract: contract.yaml, gate: stop}")
    (raw / "pipeline.yaml").write_text(asked)
    for _ in range(2):
        with pytest.raises(PipelineGateRed, match="class bus is missing"):
            go()
    passing = asked.replace("gate: stop", "gate: go-on").rpartition("  - release")[0]
    (raw / "pipeline.yaml").write_text(passing)
    assert go().state is State.DONE


def test_a_stage_is_tried_again_where_another_try_may_help(workspace, owner, raw, monkeypatch):
    class Busy(External):
        code, what, fix = "external", "busy", "wait"

    monkeypatch.setattr(engine, "_RETRY_PAUSE_S", 0)
    tries = []

    def body(work, stage):
        tries.append(stage.kind)
        if len(tries) < 3:
            raise Busy
        return stages.execute(work, stage)

    made = started(workspace, owner, raw, body=body).execute()
    assert tries == ["acquire", "acquire", "acquire", "commit"]
    assert made.state is State.DONE


def started(store, owner, raw, *, body=stages.execute, run_id="a" * 32, created=True):
    """A run that has begun, in this process."""
    listed = (Acquire(path="images"), Commit(message="all"))
    pipeline = Pipeline(name="small", dataset="shop", stages=listed, folder=raw)
    if created:
        datasets.create(owner, "shop", store=store)
    dataset_id = datasets.read(owner, "shop", store=store).dataset.id
    held = engine.acquire_lease(store, pipeline, dataset_id=dataset_id, run_id=run_id)
    progress = engine.guard_progress(lambda *_: None, held)
    work = stages.RunContext(owner, pipeline, store, wiring, progress, run_id)
    return engine.start(work, held, dataset_id=dataset_id, now=now_us(), body=body)


def test_a_second_process_is_refused_while_the_first_lives(workspace, owner, raw):
    started(workspace, owner, raw)
    with pytest.raises(PipelineRunning):
        started(workspace, owner, raw, run_id="b" * 32, created=False)


def test_a_run_whose_process_is_gone_is_taken_over_and_the_late_one_cannot_finish(
    workspace, owner, raw, monkeypatch
):
    late = started(workspace, owner, raw)
    monkeypatch.setattr(worker, "is_dead", lambda name: True)
    other = started(workspace, owner, raw, run_id="b" * 32, created=False)
    assert service.get(owner, "a" * 32, store=workspace).state is State.INTERRUPTED
    assert other.execute().state is State.DONE
    late.lease.renew()
    with pytest.raises(JobLeaseLost):
        late.execute()
    assert service.get(owner, "a" * 32, store=workspace).state is State.INTERRUPTED
    assert reliability.verify(owner, store=workspace).problems == ()


def test_a_lease_that_ran_out_is_taken_and_its_finish_refused(workspace):
    with workspace.catalog.bookkeeping() as conn:
        repository.enqueue(conn, "k", kind="x", run_id="r", payload={}, now_us=0)
        repository.enqueue(conn, "k", kind="x", run_id="r", payload={}, now_us=0)
        one = repository.take(conn, "k", worker="one", run_id="r", now_us=0, lease_us=10)
        assert repository.take(conn, "k", worker="two", run_id="r", now_us=5, lease_us=10) is None
        two = repository.take(conn, "k", worker="two", run_id="r", now_us=11, lease_us=10)
        assert one is not None and two is not None
        assert (one.attempt, two.attempt) == (1, 2)
        assert not repository.finish(conn, one, state="done", now_us=12)
        assert not repository.renew(conn, one, until_us=99)
        assert repository.finish(conn, two, state="done", now_us=12)


def test_this_process_lives_and_a_number_used_again_does_not():
    mine = worker.current()
    assert not worker.is_dead(mine)
    host, number, began = mine.split("/")
    assert not began or worker.is_dead(f"{host}/{number}/1")
    assert not worker.is_dead(f"elsewhere/{number}/1")


def test_runs_are_listed_newest_first_and_found_by_the_beginning_of_their_id(go, workspace, owner):
    first, second = go(), go()
    assert [one.id for one in service.runs(owner, store=workspace, dataset="shop")] == [second.id, first.id]
    assert service.get(owner, first.id, store=workspace).to_dict() == first.to_dict()
    with pytest.raises(RunNotFound):
        service.get(owner, "nope", store=workspace)


def test_the_pipeline_in_python_is_the_pipeline_in_the_file(raw):
    read = text.parse("pipeline: small\ndataset: shop\nstages: [{acquire: {from: images}}]\n", folder=raw)
    made = Pipeline(name="small", dataset="shop", stages=(Acquire(path="images"),), folder=raw)
    assert read == made
    assert read.sha256 == made.sha256

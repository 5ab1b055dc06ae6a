"""Pixels made ready for training: the same as decoding and resizing, whole or not there."""

from __future__ import annotations

import json
import pickle
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tests.support.images import draw, encode
from tests.support.shops import make_shop
from typer.testing import CliRunner

import calotype as ct
from calotype.acquire.service import add
from calotype.app.cli import app
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind
from calotype.exchange.output_folder import TargetNotWritable
from calotype.release.loader import SampleReader
from calotype.release.model import SizeInvalid
from calotype.release.pixels import Pixels, ResizedReader, materialise
from calotype.store.media.objects import MediaMissing
from calotype.vision.images import decode_rgb

SIZE = (30, 20)


@pytest.fixture
def state(workspace, owner, tmp_path):
    """Pictures of one size, one of another, and one that lies on its side by its EXIF; one whole-image label."""
    make_shop(owner, workspace, tmp_path / "raw", n=8)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "wide.jpg").write_bytes(encode(draw(90, size_wh=(90, 31)), "image/jpeg"))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.asarray(draw(91, size_wh=(64, 48)))).save(tmp_path / "more" / "side.jpg", exif=exif)
    add(owner, "shop", [tmp_path / "more"], store=workspace)
    now = datasets.read(owner, "shop", store=workspace)
    side = now.sample("side.jpg")
    assert (side.width_px, side.height_px) == (48, 64)
    box = Annotation("b" * 32, side.sample_id, Kind.BOX, 0, bbox_xywh_px=(4.0, 8.0, 12.0, 16.0))
    label = Annotation("c" * 32, side.sample_id, Kind.CLASSIFICATION, 1)
    return datasets.apply(
        owner, "shop", Change(put_annotations={"ground_truth": [box, label]}), store=workspace
    )


def test_pixels_and_boxes_are_those_of_the_images_resized(state, tmp_path):
    made = materialise(state, SIZE, tmp_path / "px")
    resized, whole = ResizedReader(state, made), SampleReader(state)
    assert len(made) == len(set(state.samples()["media_sha256"].to_pylist()))
    assert resized.sample_ids == whole.sample_ids
    for sample, small, large in zip(state.iter_samples(), resized, whole, strict=True):
        image = Image.fromarray(decode_rgb(state.image_bytes(sample)))
        wanted = np.asarray(image.resize(SIZE, Image.Resampling.BILINEAR)).transpose(2, 0, 1)
        np.testing.assert_array_equal(small["image"], wanted)
        scale = np.tile([SIZE[0] / sample.width_px, SIZE[1] / sample.height_px], 2)
        np.testing.assert_allclose(small["boxes_xyxy_px"], large["boxes_xyxy_px"] * scale, rtol=1e-5)
        assert small["annotation_ids"] == large["annotation_ids"]
        assert small["label"] == large["label"]
        assert small["boxes_xyxy_px"].dtype == np.float32
    side = resized[state.sample("side.jpg").sample_id]
    np.testing.assert_allclose(side["boxes_xyxy_px"], [[2.5, 2.5, 10.0, 7.5]])
    side["image"][:] = 0
    assert resized[side["sample_id"]]["image"].any()


def test_what_is_there_is_not_made_again_and_goes_to_other_processes(state, tmp_path, monkeypatch):
    made = materialise(state, SIZE, tmp_path / "px")
    first = made[0]
    monkeypatch.setattr("calotype.release.pixels._resized", None)
    again = materialise(state, SIZE, tmp_path / "px", deep=True)
    assert again.folder == made.folder
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(made))[0], first)


def test_other_images_or_another_size_lie_apart(state, tmp_path):
    made = materialise(state, SIZE, tmp_path / "px")
    few = materialise(state, SIZE, tmp_path / "px", ids=state.ids()[:3])
    other = materialise(state, (8, 8), tmp_path / "px")
    assert len({made.folder, few.folder, other.folder}) == 3
    assert len(few) == 3


@pytest.mark.parametrize("name", ["pixels", "keys"])
def test_damaged_and_cut_files_are_made_again(state, tmp_path, name):
    made = materialise(state, SIZE, tmp_path / "px")
    whole = (made.folder / name).read_bytes()
    (made.folder / name).write_bytes(whole[:-1])
    assert not Pixels(made.folder).is_complete()
    made = materialise(state, SIZE, tmp_path / "px", deep=True)
    assert (made.folder / name).read_bytes() == whole
    (made.folder / name).write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert Pixels(made.folder).is_complete()
    assert not Pixels(made.folder).is_complete(deep=True)
    assert (materialise(state, SIZE, tmp_path / "px", deep=True).folder / name).read_bytes() == whole


KILLED = """
import os, signal, sys
from calotype.app import wiring
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.release.pixels import materialise
from pathlib import Path
store = wiring.open_at(Path(sys.argv[1]))
state = datasets.read(Actor("test:owner", "owner", "person", ("owner",)), "shop", store=store)
def stop(what, done, total):
    if done == 5:
        os.kill(os.getpid(), signal.SIGKILL)
materialise(state, (30, 20), Path(sys.argv[2]), progress=stop)
"""


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_that_is_taken_for_whole(state, workspace, tmp_path):
    command = [sys.executable, "-c", KILLED, str(workspace.root), str(tmp_path / "px")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert [file.name for file in (tmp_path / "px").iterdir() if not file.name.startswith(".")] == []
    assert materialise(state, SIZE, tmp_path / "px").is_complete(deep=True)


def test_too_little_room_is_told_before_anything_is_written(state, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_005_000))
    with pytest.raises(TargetNotWritable, match=r"0\.00 GB are free"):
        materialise(state, SIZE, tmp_path / "px")
    assert list((tmp_path / "px").iterdir()) == []


@pytest.mark.parametrize("size", [(0, 10), (10, -1), (9_000, 10)])
def test_a_size_that_is_none_is_refused(state, tmp_path, size):
    with pytest.raises(SizeInvalid):
        materialise(state, size, tmp_path / "px")


def test_an_image_that_is_gone_leaves_nothing(state, workspace, tmp_path):
    workspace.media.path(state.sample("side.jpg").media_sha256).unlink()
    with pytest.raises(MediaMissing):
        materialise(state, SIZE, tmp_path / "px")
    assert list((tmp_path / "px").iterdir()) == []


def test_the_doors_make_the_pixels_of_a_release(workspace, owner, tmp_path, monkeypatch):
    make_shop(owner, workspace, tmp_path / "raw", n=8)
    datasets.commit(owner, "shop", "all", store=workspace)
    monkeypatch.chdir(workspace.root)
    with ct.open(workspace.root, actor=owner) as ws:
        release = ws.dataset("shop").release("1.0.0", split={"train": 0.5, "test": 0.5})
        made = release.materialise((16, 12))
        assert {item["image"].shape for item in release.numpy("train", size_wh=(16, 12))} == {(3, 12, 16)}
    run = CliRunner().invoke(app, ["--json", "materialise", "shop", "1.0.0", "--size", "16x12", "--deep"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.output)["folder"] == str(made.folder)
    for size in ("16", "ax4", "0x4", "16x"):
        bad = CliRunner().invoke(app, ["materialise", "shop", "1.0.0", "--size", size])
        assert isinstance(bad.exception, SizeInvalid), bad.output

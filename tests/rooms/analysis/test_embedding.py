"""Vectors of images: without weights, and with the network of the extra."""

from __future__ import annotations

import numpy as np
import pytest
from tests.rooms.checks.test_near_duplicates import data, scene

from calotype.analysis.embedding import ImageNotEmbeddable
from calotype.checks import embed
from calotype.models import lite0
from calotype.models.tensor_file import TensorFileUnreadable, read_tensors

needs_extra = pytest.mark.skipif(not lite0.is_installed(), reason="the extra `embed` is not installed")


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("CALOTYPE_CACHE", str(tmp_path_factory.getbasetemp() / "embedders"))


def test_rows_have_length_one_and_equal_images_equal_rows():
    rows = embed([data(scene(1)), data(scene(1)), data(scene(2))], "hog-colour")
    assert rows.shape == (3, 1861)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert (rows[0] == rows[1]).all()


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ImageNotEmbeddable, match=r"image 1 .*gone\.jpg"):
        embed([data(scene(1)), tmp_path / "gone.jpg"], "hog-colour")


@needs_extra
def test_the_network_puts_like_images_close():
    a, b = scene(1), scene(2)
    rows = embed([data(a), data(a, 30), data(b), data(b, 30)], "lite0")
    alike = rows @ rows.T
    assert rows.shape == (4, 1280)
    assert min(alike[0, 1], alike[2, 3]) > alike[0, 2] + 0.03


@needs_extra
def test_eight_bits_keep_what_the_full_network_says():
    import onnxruntime

    tensors = lite0.weights()
    rng = np.random.default_rng(0)
    pixels = np.stack([np.asarray(scene(k).resize((128, 128))) for k in range(4)])
    x = ((pixels.astype(np.float32) - lite0.MEAN) / lite0.DEVIATION).transpose(0, 3, 1, 2)
    x += rng.normal(0, 1e-3, (1, 3, 1, 1)).astype(np.float32)
    full, small = (
        onnxruntime.InferenceSession(
            lite0.build(tensors, quantised=quantised), providers=["CPUExecutionProvider"]
        ).run(None, inputs)[0]
        for quantised, inputs in ((False, {"x": x}), (True, {"pixels": lite0.input_steps()[pixels]}))
    )
    cosines = (full * small).sum(axis=1) / np.linalg.norm(full, axis=1) / np.linalg.norm(small, axis=1)
    assert cosines.min() > 0.8


def test_a_file_of_weights_runs_nothing_that_stands_in_it():
    run = b"\x80\x02cos\nsystem\nq\x00X\x04\x00\x00\x00trueq\x01\x85q\x02Rq\x03."
    with pytest.raises(TensorFileUnreadable, match="unexpected name 'os system'"):
        read_tensors(run)
    with pytest.raises(TensorFileUnreadable):
        read_tensors(b"\x80\x02")

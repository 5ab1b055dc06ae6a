"""Measures are computed once per image and kept; what cannot be decoded is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.images import draw, encode

from calotype.checks import measures
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.vision import images, pixel_facts


@pytest.fixture
def snapshot(workspace, owner):
    datasets.create(owner, "d", store=workspace)
    samples = []
    for number in range(3):
        put = workspace.media.put(encode(draw(number)))
        samples.append(
            Sample(f"{number:032x}", put.sha256, f"{number}.jpg", 96, 64, "image/jpeg", put.n_bytes)
        )
    return datasets.apply(owner, "d", Change(put_samples=samples), store=workspace)


def test_every_image_gets_every_measure(workspace, snapshot):
    found = measures.measure(workspace, snapshot, measures.NAMES)
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(measures.NAMES, 3)


def test_measures_are_kept_and_not_computed_again(workspace, snapshot):
    first = measures.measure(workspace, snapshot, measures.NAMES)
    for sha in first["dhash64"]:
        workspace.media.path(sha).unlink()
    again = measures.measure(workspace, snapshot, measures.NAMES)
    for name, values in first.items():
        assert all(np.array_equal(again[name][sha], value) for sha, value in values.items())


def test_only_the_samples_asked_for_are_measured(workspace, snapshot):
    found = measures.measure(workspace, snapshot, ["dhash64"], sample_ids=snapshot.ids()[:1])
    assert len(found["dhash64"]) == 1


def test_a_missing_file_is_told_and_measured_when_it_is_back(workspace, snapshot):
    sample = next(snapshot.iter_samples())
    data = workspace.media.read(sample.media_sha256)
    workspace.media.path(sample.media_sha256).unlink()
    assert list(unreadable(workspace, snapshot)) == [sample.media_sha256]
    workspace.media.put(data)
    assert unreadable(workspace, snapshot) == {}


def unreadable(workspace, snapshot):
    failing: dict[str, str] = {}
    measures.measure(workspace, snapshot, measures.NAMES, failed=failing)
    return measures.unreadable(workspace, snapshot, failing)[0]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.integers(0, 20))
def test_near_pairs_are_those_that_differ_in_few_bits(values, max_distance):
    expected = {
        (i, j)
        for i in range(len(values))
        for j in range(i + 1, len(values))
        if (values[i] ^ values[j]).bit_count() <= max_distance
    }
    found = pixel_facts.near_pairs(np.asarray(values, dtype=np.uint64), max_distance=max_distance)
    assert {(int(i), int(j)) for i, j in found} == expected


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 300), (5, 5), (2000, 3)])
def test_the_smallest_images_have_measures(size_wh):
    upright = images.decode_upright(images.encode_png(np.full((size_wh[1], size_wh[0], 3), 128, np.uint8)))
    assert pixel_facts.thumb32(upright.grey).shape == (32, 32)
    assert pixel_facts.dhash64(upright.grey).shape == ()


def test_flat_images_are_not_called_alike():
    flat = np.full((1, 32, 32), 128, dtype=np.uint8)
    assert pixel_facts.correlation(pixel_facts.centred(flat), pixel_facts.centred(flat)).tolist() == [0.0]
    assert pixel_facts.misfit(flat, flat).tolist() == [np.inf]


def test_no_pairs_have_no_likeness():
    none = np.zeros((0, 32, 32), dtype=np.uint8)
    centred = pixel_facts.centred(none)
    assert pixel_facts.correlation(centred, centred).shape == pixel_facts.misfit(none, none).shape == (0,)

"""Images are held against those of the contract's reference: all together, and each new one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from tests.support.images import draw, encode

from calotype.analysis.drift import novel, vector_shift
from calotype.analysis.validation import InputsInvalid
from calotype.datasets import service as datasets

CONTRACT = "{reference: {ref: v1}, embedding: hog-colour}"


def red(seed):
    """A red picture without any shape, as nothing in the reference."""
    return Image.new("RGB", (96, 64), (190 + seed, 0, 0))


@pytest.fixture
def reference(things, owner):
    """Fifty drawn images, committed and tagged v1."""
    for seed in range(50):
        things.image(encode(draw(seed)), label=False)
    things.write()
    datasets.commit(owner, "things", "first", store=things.store)
    datasets.tag(owner, "things", "v1", store=things.store)
    return things


def faults(report):
    return [(f.fault, f.sample) for f in report.findings]


def test_images_of_another_kind_drift_and_each_is_novel(reference):
    for seed in range(50):
        reference.image(encode(red(seed)), label=False, name=f"new{seed:02d}.png")
    report = reference.only("vector-drift", CONTRACT)
    told = faults(report)
    assert told[0] == ("drift", "")
    assert {name for fault, name in told if fault == "novel"} == {f"new{seed:02d}.png" for seed in range(50)}
    facts = report.findings[0].facts
    assert facts["auroc"] > 0.7
    assert (facts["p_value"], facts["n_reference"], facts["model"]) == (0.005, 50, "hog-colour-v2")


def test_a_single_strange_image_is_novel_and_no_drift(reference):
    reference.image(encode(red(0)), label=False, name="odd.png")
    [finding] = reference.only("vector-drift", CONTRACT).findings
    assert (finding.fault, finding.sample, finding.severity) == ("novel", "odd.png", "info")
    assert finding.facts["distance"] > finding.facts["limit"]


@pytest.mark.slow
def test_more_of_the_same_is_no_drift(reference):
    for seed in range(50, 90):
        reference.image(encode(draw(seed)), label=False)
    report = reference.only("vector-drift", CONTRACT)
    assert "drift" not in [fault for fault, _ in faults(report)]
    assert len(report.findings) <= 2
    assert report.checks[0].looked_at == 90


@pytest.mark.slow
def test_the_reference_itself_is_silent(reference):
    report = reference.only("vector-drift", CONTRACT)
    assert (report.findings, report.checks[0].looked_at) == ((), 50)
    assert report.checks[0].reference["auroc"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "contract", ["{}", "{reference: {ref: v1}, checks: {vector-drift: {parameters: {min_samples: 51}}}}"]
)
def test_without_a_reference_or_with_few_samples_nothing_is_looked_at(reference, contract):
    report = reference.only("vector-drift", contract)
    assert (report.findings, report.checks[0].looked_at) == ((), 0)


def vectors(n, seed, shift=0.0):
    made = np.random.default_rng(seed).normal(size=(n, 24))
    made[:, 0] += 3 + shift
    return made


def test_a_shift_is_told_and_chance_is_not():
    same, moved = (vector_shift(vectors(150, 1, by), vectors(150, 2)) for by in (0.0, 3.0))
    assert 0.35 < same.auroc < 0.65
    assert same.p_value > 0.05
    assert (moved.auroc > 0.75, moved.p_value, moved.n, moved.n_reference) == (True, 0.005, 150, 150)


def test_images_on_both_sides_tell_nothing_apart():
    x, numbers = vectors(200, 3), np.arange(200)
    found = vector_shift(x[:190], x, images=numbers[:190], reference_images=numbers)
    assert found.auroc == pytest.approx(0.5, abs=0.03)
    assert found.p_value > 0.05


def test_what_only_a_share_of_the_reference_exceeds_is_the_limit():
    found = novel(vectors(100, 4), vectors(1_000, 5), share=0.1)
    assert 2 <= found.flagged.sum() <= 20
    assert novel(-vectors(5, 6), vectors(200, 7)).flagged.all()


def test_too_few_rows_are_refused():
    with pytest.raises(InputsInvalid, match="10 rows or more"):
        vector_shift(vectors(9, 1), vectors(50, 2))
    with pytest.raises(InputsInvalid, match="more than 3"):
        novel(vectors(9, 1), vectors(3, 2))

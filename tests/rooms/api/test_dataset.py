"""The handles on a dataset and its views."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

import calotype as ct


def code_of(call, *args, **options):
    """The error code that a call is refused with."""
    with pytest.raises(ct.CalotypeError) as refused:
        call(*args, **options)
    return refused.value.code


def boxes(ids, x=4.0):
    """A table with one box of class car per sample."""
    sides = {"x": [x] * len(ids), "y": [5.0] * len(ids), "w": [20.0] * len(ids), "h": [10.0] * len(ids)}
    return pa.table({"sample_id": ids, "class": ["car"] * len(ids), **sides})


def test_a_dataset_shows_its_size(shop):
    assert repr(shop) == "Dataset('shop', samples=24, annotations=24)"


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("add_images", ["missing"], "path-not-found"),
        ("add_annotations", ["missing.json"], "format-unknown"),
        ("commit", ["again"], "nothing-to-commit"),
        ("diff", ["main", "missing"], "ref-not-found"),
        ("branch", ["main"], "ref-exists"),
        ("tag", ["first", "missing"], "ref-not-found"),
        ("rollback", ["missing"], "ref-not-found"),
        ("at", ["missing"], "ref-not-found"),
        ("release", ["one"], "version-invalid"),
        ("merge", ["missing"], "ref-not-found"),
        ("merge", ["main"], "nothing-to-merge"),
        ("undo", ["missing"], "ref-not-found"),
        ("protect", ["missing"], "ref-not-found"),
        ("set_contract", ["task: ["], "contract-invalid"),
        ("check", ["missing-check"], "check-unknown"),
        ("triage", [["f" * 16], "open"], "finding-not-found"),
        ("fix", [["f" * 16]], "finding-not-found"),
        ("undo_fix", ["missing"], "fix-not-found"),
        ("nearest", ["m", [1.0, 0.0]], "vectors-not-found"),
        ("put_vectors", ["m", ["f" * 32], [[1.0, 0.0]]], "vectors-invalid"),
        ("embed", ["missing-model"], "embedder-unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_promised_error_has_its_code(shop, method, arguments, code):
    assert code_of(getattr(shop, method), *arguments) == code


def test_a_tag_names_a_commit_for_good(shop):
    first = shop.log()[0]
    shop.tag("first")
    shop.put_annotations(boxes(shop.where().snapshot().ids()[:2]))
    shop.commit("two boxes")
    assert [commit.message for commit in shop.log()] == ["two boxes", "import"]
    assert shop.at("first").snapshot().commit_id == first.id
    assert (shop.at("first").count()["annotations"], shop.where().count()["annotations"]) == (24, 26)
    assert code_of(shop.tag, "first") == "ref-exists"


def test_put_annotations_replaces_those_of_the_same_samples(shop):
    ids = shop.where().snapshot().ids()[:3]
    assert shop.put_annotations(boxes(ids), label_set="model:a") == 3
    assert shop.put_annotations(boxes(ids, x=8.0), label_set="model:a", replace="samples") == 3
    assert shop.where().annotations(label_set="model:a")["x"].to_pylist() == [8.0] * 3
    assert code_of(shop.put_annotations, pa.table({"sample_id": ids})) == "rows-invalid"


def test_a_view_reads_what_its_query_matches(shop):
    cars = shop.where(ct.field("class") == "car")
    assert len(cars) == 12
    assert cars.by_class() == {"car": 12, "dog": 0}
    assert cars.samples(columns=["name"])["name"].to_pylist() == [f"{n:02}.png" for n in range(0, 24, 2)]
    assert set(cars.annotations(columns=["class_id"]).column_names) >= {"class_id"}
    assert cars.annotations().num_rows == 12
    assert len(cars.where(ct.field("class") == "dog")) == 12
    assert code_of(shop.where("nonsense = 1").count) == "query-field-unknown"
    assert code_of(shop.where("class ==").count) == "query-invalid"


def test_a_split_keeps_the_samples_of_a_value_together(shop):
    result = shop.where().split({"train": 0.5, "test": 0.5}, by="licence")
    assert result.groups == 1
    assert sorted(result.samples.values()) == [0, 24]
    assert code_of(shop.where().split, {"train": 2.0}) == "split-fractions-invalid"


def test_a_selection_is_the_pool_of_a_release(shop):
    picked = shop.where('class = "car"').curate(4, by="random", seed=1)
    released = shop.release("1.0.0", pool=picked)
    assert released.card["samples"] == 4
    assert set(picked.sample_ids) == set(released.numpy().sample_ids)
    assert code_of(shop.where().curate, 25) == "selection-too-large"
    assert code_of(shop.where().curate, 1, by="taste") == "pick-strategy-unknown"


def test_a_transform_writes_into_another_dataset(shop, ws):
    ws.create("small")
    recipe = {"name": "small", "steps": [{"resize": {"width": 32, "height": 24}}]}
    assert shop.where().transform(recipe, into="small").made == 24
    assert {sample.width_px for sample in ws.dataset("small").where()} == {32}
    assert code_of(shop.where().transform, {"name": "x", "steps": [{"spin": {}}]}) == "recipe-invalid"


def test_an_export_needs_a_known_format_and_an_empty_folder(shop, tmp_path):
    assert shop.where().export("voc", tmp_path / "out", images="none").samples == 24
    assert code_of(shop.where().export, "voc", tmp_path / "out") == "target-not-empty"
    assert code_of(shop.where().export, "voodoo", tmp_path / "new") == "format-unknown"


def test_vectors_find_the_nearest_samples(shop):
    ids = shop.where().snapshot().ids()
    vectors = np.eye(len(ids), dtype=np.float32)
    vectors[1] = vectors[0] + 0.1 * vectors[1]
    assert shop.put_vectors("m", ids, vectors) == 24
    assert shop.nearest("m", ids[0], 1)["sample_id"].to_pylist() == [ids[1]]
    dogs = shop.where('class = "dog"').nearest("", vectors[0], 24, exact=True)
    assert dogs.num_rows == 12
    shop.remove_vectors([ids[1]], "m")
    assert shop.nearest("m", vectors[0], 24).num_rows == 23
    assert code_of(shop.nearest, "m", "missing.png") == "sample-not-found"


def test_embed_computes_only_missing_vectors(shop):
    first = shop.embed("hog-colour-v1")
    assert (first.made, first.known, first.failed) == (24, 0, ())
    assert shop.embed("hog-colour-v1").made == 0


def test_a_finding_is_triaged_fixed_and_closed(shop):
    sample_id = shop.where().snapshot().ids()[0]
    shop.put_annotations(boxes([sample_id], x=56.0))
    shop.commit("a box beyond the edge")
    assert not shop.check("box-bounds").red
    (finding,) = shop.findings(check="box-bounds")
    (assigned,) = shop.triage([finding.key], "assigned", to="ana")
    assert (str(assigned.state), assigned.assignee) == ("assigned", "ana")
    assert code_of(shop.triage, [finding.key], "rejected") == "finding-decision-invalid"
    (accepted,) = shop.triage([finding.key], "accepted", because="cut by the frame", until=date(2100, 1, 1))
    assert accepted.until_us == 4_102_531_199_999_999
    shop.triage([finding.key], "open")
    staged = shop.fix([finding.key])
    assert staged.keys == (finding.key,)
    assert shop.undo_fix(staged.id).id == staged.id
    shop.fix([finding.key])
    shop.check("box-bounds")
    assert shop.findings(check="box-bounds", state=["open"]) == ()
    comparison = shop.compare_checks("main")
    assert [item.key for item in comparison.fixed] == [finding.key]


def test_precision_counts_what_people_judged(shop):
    shop.put_annotations(boxes([shop.where().snapshot().ids()[0]], x=56.0))
    shop.check("box-bounds")
    (finding,) = shop.findings(check="box-bounds")
    shop.triage([finding.key], "rejected", because="a false alarm")
    precision = shop.precision()["box-bounds"]
    assert (precision.n_real, precision.n_false) == (0, 1)


def test_the_replay_of_labels_gives_the_accuracy_of_each_strategy(shop):
    curve = shop.where().simulate_curation(8)
    assert (curve.budgets, curve.n_pool + curve.n_test) == ((2, 4, 8), 24)
    assert {"random", "coverage"} <= set(curve.accuracy)
    assert all(0 <= value <= 1 for row in curve.accuracy.values() for value in row)
    assert shop.where().simulate_curation(8) == curve
    assert code_of(shop.where().simulate_curation, 24) == "inputs-invalid"

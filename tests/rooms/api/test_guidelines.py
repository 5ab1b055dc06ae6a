"""The ontology and the guideline of a dataset by its handles, on a folder and on a server."""

from __future__ import annotations

import pytest

import calotype as ct

CLASSES = """
classes:
  car:
    definition: It has four wheels.
    colour: "#FF8800"
    attributes:
      occluded: {type: boolean, required: true, default: false}
  bus: {parent: car, key: b}
"""
GUIDELINE = """---
changelog: First version
examples: [{sample: shop-000.png, bbox: [1, 1, 5, 5], caption: a car, verdict: bad}]
---
# Cars

Draw the whole car.
"""


@pytest.fixture
def name(shop):
    """The name of one sample."""
    return shop.where().samples(columns=["name"])["name"][0].as_py()


def test_classes_are_described_by_a_text_or_a_file(shop, tmp_path):
    planned = shop.ontology.set(CLASSES, dry_run=True)
    assert [(one.name, one.change) for one in planned] == [("car", "changed"), ("bus", "added")]
    file = tmp_path / "classes.yaml"
    file.write_text(CLASSES, encoding="utf-8")
    assert shop.ontology.set(file) == planned
    assert shop.ontology.set(file) == ()
    cards = {card["name"]: card for card in shop.ontology.show()["classes"]}
    assert (cards["car"]["colour"], cards["bus"]["key"], cards["bus"]["parent"]) == ("#ff8800", "b", "car")
    assert [one.name for one in shop.ontology.diff()] == ["car", "bus"]
    assert shop.ontology.diff("main", "main") == ()


def test_a_migration_is_counted_done_and_undone(shop):
    before = shop.where().by_class()
    planned = shop.ontology.migrate(merge={"animal": ["car", "dog"]})
    assert not planned.applied
    assert shop.where().by_class() == before
    done = shop.ontology.migrate(merge={"animal": ["car", "dog"]}, dry_run=False)
    assert (done.written, done.samples, done.new_classes) == (planned.written, planned.samples, ("animal",))
    assert done.written == sum(before.values()) == shop.where().by_class()["animal"]
    shop.undo_edit()
    assert shop.where().by_class() == before


def test_a_guideline_is_written_published_and_compared(shop, name, tmp_path):
    file = tmp_path / "cars.md"
    file.write_text(GUIDELINE.replace("shop-000.png", name), encoding="utf-8")
    assert shop.guideline.new(file).state == "draft"
    published = shop.guideline.publish()
    assert (published.version, published.changelog) == (1, "First version")
    assert [(one.sample, one.good) for one in published.examples] == [(name, False)]
    shop.guideline.publish("# Cars\n\nWith mirrors.", touches=["car"], changelog="Mirrors")
    assert [one.version for one in shop.guideline.versions()] == [2, 1]
    assert shop.guideline.show(1).text.endswith("Draw the whole car.\n")
    diff = shop.guideline.diff()
    assert (diff.changelog, diff.touches, diff.examples_removed) == (((2, "Mirrors"),), ("car",), 1)


def test_what_changed_is_acknowledged(shop):
    assert shop.guideline.reading().version == 0
    shop.guideline.publish("# Cars")
    assert shop.guideline.reading().acknowledged_version == 0
    assert shop.guideline.acknowledge().acknowledged_version == 1
    assert shop.guideline.reading().changes.lines == ()


def test_stale_labels_are_counted_and_their_samples_listed(shop):
    cars = shop.where().by_class()["car"]
    shop.guideline.publish("# Cars", touches=["car"])
    stale = shop.guideline.stale()
    assert (stale.labels, stale.basis, list(stale.by_class)) == (cars, "default", ["car"])
    assert stale.hours == pytest.approx(cars * 35 / 3600, abs=1e-3)
    samples = shop.guideline.stale_samples(classes=["car"])
    assert len(samples) == stale.samples
    assert shop.guideline.stale_samples(classes=["dog"]) == []


@pytest.mark.parametrize(
    ("handle", "method", "arguments", "code"),
    [
        ("ontology", "set", ["classes: [car]"], "ontology-invalid"),
        ("ontology", "set", ["classes: {car: {parent: car}}"], "ontology-invalid"),
        ("ontology", "set", ["classes: {car: {tools: [knife]}}"], "ontology-invalid"),
        ("ontology", "set", ["classes: {car: {attributes: {a: {type: date}}}}"], "ontology-invalid"),
        ("ontology", "set", ["classes: {car: {skeleton: [[0, 1]]}}"], "ontology-invalid"),
        ("ontology", "set", ["classes: {car: {colour: red}}"], "ontology-invalid"),
        ("ontology", "set", ["classes: {car: {wheels: 4}}"], "ontology-invalid"),
        ("ontology", "set", ["classes: &a {car: *a}"], "ontology-invalid"),
        ("ontology", "migrate", [], "ontology-migration-invalid"),
        ("guideline", "new", [""], "guideline-invalid"),
        ("guideline", "publish", [], "guideline-not-found"),
        ("guideline", "show", [], "guideline-not-found"),
        ("guideline", "acknowledge", [7], "guideline-not-found"),
        ("guideline", "diff", [], "guideline-not-found"),
    ],
)
def test_what_cannot_be_done_is_refused(shop, handle, method, arguments, code):
    with pytest.raises(ct.CalotypeError) as refused:
        getattr(getattr(shop, handle), method)(*arguments)
    assert refused.value.code == code

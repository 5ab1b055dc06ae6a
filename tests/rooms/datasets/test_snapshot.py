"""What a snapshot answers, in the dataset `city`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.cities import ANA, GROUND_TRUTH, MODEL, ONTOLOGY, SAMPLES
from tests.support.images import draw, encode
from tests.support.refusals import assert_refused

from calotype.datasets import service
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, AnnotationInvalid, Kind, Sample, SampleInvalid
from calotype.datasets.query import field
from calotype.datasets.snapshot import SampleNotFound
from calotype.store.media.objects import MediaMissing


class TestTexts:
    """What a state says of itself."""

    def test_its_name_is_that_of_the_dataset_and_the_ref(self, shared, city):
        assert city.name == "city"
        assert service.read(ANA, "city@v1", store=shared).name == "city@v1"

    def test_a_committed_state_has_its_commit(self, shared, city):
        (head,) = service.log(ANA, "city", store=shared)
        assert city.commit_id == head.id

    def test_equal_states_have_equal_hashes_whatever_their_name(self, shared, city):
        assert service.read(ANA, "city@v1", store=shared).state_sha256 == city.state_sha256

    def test_the_ontology_has_its_classes_and_their_supercategories(self, city):
        assert city.ontology == ONTOLOGY
        assert [c.supercategory for c in city.ontology.classes] == ["vehicle", "vehicle", ""]

    def test_fields_have_the_types_that_were_seen(self, city):
        assert city.fields == {"light": "str", "luma": "int", "speed": "float", "rain": "bool"}

    def test_the_contract_is_the_text_that_was_put(self, city):
        assert city.contract_text == "task: {}"

    def test_label_sets_begin_with_the_ground_truth(self, city):
        assert city.label_sets == ("ground_truth", "model:one")

    def test_an_empty_dataset_answers_everything_with_nothing(self, workspace, owner):
        service.create(owner, "empty", store=workspace)
        empty = service.read(owner, "empty", store=workspace)
        assert (empty.commit_id, empty.contract_text, empty.info, empty.label_sets) == (None, None, {}, ())
        assert empty.count() == {"samples": 0, "annotations": 0}
        assert (empty.ids(), empty.ids("width > 1"), list(empty.iter_samples())) == ([], [], [])
        assert empty.samples().num_rows == empty.annotations().num_rows == 0
        assert (empty.by_class(), empty.annotations_of([])) == ({}, {})


class TestCount:
    """Counts of samples and annotations."""

    @pytest.mark.parametrize(
        ("where", "label_set", "counted"),
        [
            (None, None, (5, 8)),
            (None, "ground_truth", (5, 6)),
            (None, "model:one", (5, 2)),
            (None, "nobody", (5, 0)),
            ("split = train", None, (2, 4)),
            ("any(bus)", "ground_truth", (1, 1)),
            ("any(bus)", "model:one", (1, 1)),
            ("luma > 999", None, (0, 0)),
        ],
    )
    def test_by_query_and_label_set(self, city, where, label_set, counted):
        samples, annotations = counted
        assert city.count(where, label_set=label_set) == {"samples": samples, "annotations": annotations}

    def test_annotations_are_left_out_where_they_are_not_wanted(self, city):
        assert city.count("split = train", annotations=False) == {"samples": 2, "annotations": 0}

    def test_by_class_the_most_frequent_come_first(self, city):
        assert list(city.by_class().items()) == [("car", 3), ("person", 2), ("bus", 1)]

    def test_by_class_names_unused_classes_with_zero(self, city):
        assert city.by_class("split = val") == {"person": 1, "bus": 0, "car": 0}

    def test_by_class_of_another_label_set(self, city):
        assert city.by_class(label_set="model:one") == {"bus": 1, "car": 1, "person": 0}
        assert city.by_class(label_set="nobody") == {"bus": 0, "car": 0, "person": 0}


class TestSamples:
    """Samples as ids, rows and values."""

    def test_ids_are_ordered_by_name(self, city):
        assert city.ids() == ["s0", "s1", "s2", "s3", "s4"]
        assert city.ids(field("split") == "train") == ["s0", "s4"]

    def test_rows_of_all_samples_are_ordered_by_name(self, city):
        assert city.samples()["name"].to_pylist() == ["a.jpg", "b.jpg", "c.png", "d.jpg", "e.jpg"]

    def test_rows_by_id_come_in_the_order_asked_for(self, city):
        assert city.samples(ids=["s3", "s0"])["name"].to_pylist() == ["d.jpg", "a.jpg"]

    def test_unknown_ids_are_left_out(self, city):
        assert city.samples(ids=["s9", "s0"])["sample_id"].to_pylist() == ["s0"]
        assert city.samples(ids=[]).num_rows == 0

    def test_only_the_columns_asked_for_are_read(self, city):
        assert city.samples(ids=["s2"], columns=["mime", "width_px"]).to_pylist() == [
            {"mime": "image/png", "width_px": 1280}
        ]

    def test_values_are_those_that_were_put(self, city):
        assert list(city.iter_samples()) == SAMPLES
        assert [sample.sample_id for sample in city.iter_samples(ids=["s4", "s1"])] == ["s4", "s1"]
        assert [sample.name for sample in city.iter_samples(where="light = day")] == ["b.jpg", "c.png"]

    def test_a_derived_sample_says_so(self, city):
        assert [sample.is_derived for sample in city.iter_samples()] == [False, False, False, False, True]

    @pytest.mark.parametrize("named", ["s1", "b.jpg"], ids=["by id", "by name"])
    def test_one_sample_is_found(self, city, named):
        assert city.sample(named) == SAMPLES[1]

    def test_a_sample_that_is_not_there(self, city):
        with pytest.raises(SampleNotFound) as refused:
            city.sample("z.jpg")
        assert_refused(refused, "sample-not-found", "'z.jpg'", "city", fix="`calotype samples city`")


class TestAnnotations:
    """Annotations as rows and values."""

    def test_values_are_those_that_were_put(self, city):
        listed = city.annotations_of(["s0", "s1", "s2", "s3", "s4"])
        assert [annotation for of_sample in listed.values() for annotation in of_sample] == GROUND_TRUTH

    def test_a_sample_without_annotations_has_an_empty_list(self, city):
        assert city.annotations_of(["s3"]) == {"s3": []}
        assert city.annotations_of(["s3"], "model:one") == {"s3": [MODEL[1]]}

    def test_rows_of_the_samples_that_match(self, city):
        table = city.annotations(where="split = train", columns=["ann_id", "class_id"])
        assert sorted(row["ann_id"] for row in table.to_pylist()) == ["a0", "a1", "a2", "a5"]
        assert table.column_names == ["ann_id", "class_id"]

    def test_rows_of_samples_by_id(self, city):
        assert city.annotations(sample_ids=["s2"])["kind"].to_pylist() == ["polygon"]
        assert city.annotations(sample_ids=[]).num_rows == 0

    def test_a_label_set_that_nobody_made_is_empty(self, city):
        assert city.annotations("nobody").num_rows == 0
        assert city.annotations("nobody", columns=["x"]).column_names == ["x"]

    def test_whole_tables_and_their_columns(self, city):
        assert city.rows_of("ann/model%3a.one", columns=["score"])["score"].to_pylist() == [0.9, 0.25]
        assert city.rows_of("samples").num_rows == 5
        assert city.rows_of("ann/nobody").num_rows == 0

    def test_only_rows_that_another_state_lacks(self, workspace, owner):
        service.create(owner, "city", store=workspace)
        before = service.apply(owner, "city", Change(put_samples=SAMPLES[:3]), store=workspace)
        after = service.apply(owner, "city", Change(put_samples=SAMPLES[3:]), store=workspace)
        assert sorted(after.rows_of("samples", not_in=before)["sample_id"].to_pylist()) == ["s3", "s4"]


class TestImages:
    """The bytes behind a sample."""

    def test_bytes_are_those_that_were_stored(self, workspace, owner):
        data = encode(draw(1))
        stored = replace(SAMPLES[0], media_sha256=workspace.media.put(data).sha256)
        service.create(owner, "city", store=workspace)
        state = service.apply(owner, "city", Change(put_samples=[stored]), store=workspace)
        assert state.image_bytes(stored) == data
        assert state.image_path(stored).read_bytes() == data
        assert state.image_path(stored.media_sha256) == state.image_path(stored)

    def test_bytes_that_are_missing(self, city):
        with pytest.raises(MediaMissing) as refused:
            city.image_bytes(SAMPLES[1])
        assert_refused(refused, "media-missing", SAMPLES[1].media_sha256, fix="`calotype verify`")


class TestOlderStates:
    """A snapshot never sees later writes."""

    def test_it_reads_what_it_read_before_an_edit(self, workspace, owner):
        service.create(owner, "city", store=workspace)
        before = service.apply(owner, "city", Change(put_samples=SAMPLES), store=workspace)
        service.apply(owner, "city", Change(remove_samples=["s0"]), store=workspace)
        assert before.ids() == ["s0", "s1", "s2", "s3", "s4"]
        assert service.read(owner, "city", store=workspace).ids() == ["s1", "s2", "s3", "s4"]

    def test_a_working_state_with_edits_has_no_commit(self, workspace, owner):
        service.create(owner, "city", store=workspace)
        assert (
            service.apply(owner, "city", Change(put_samples=SAMPLES), store=workspace).commit_id
            == service.read(owner, "city", store=workspace).commit_id
            is None
        )


class TestValues:
    """What a sample and an annotation refuse to be."""

    @pytest.mark.parametrize(
        ("values", "detail"),
        [
            ({"width_px": 0}, "size 0x480 px"),
            ({"height_px": -1}, "size 640x-1 px"),
            ({"name": ""}, "4096"),
            ({"name": "x" * 4_097}, "4096"),
        ],
        ids=["width", "height", "no name", "long name"],
    )
    def test_a_sample(self, values, detail):
        with pytest.raises(SampleInvalid) as refused:
            replace(SAMPLES[0], **values)
        assert_refused(refused, "sample-invalid", detail, fix="import again")

    @pytest.mark.parametrize(
        ("values", "detail"),
        [
            ({"bbox_xywh_px": (1.0, float("nan"), 2.0, 3.0)}, "finite"),
            ({"bbox_xywh_px": (1.0, float("inf"), 2.0, 3.0)}, "finite"),
            ({"bbox_xywh_px": None}, "box"),
            ({"kind": Kind.POLYGON}, "points"),
            ({"kind": Kind.MASK}, "mask"),
            ({"kind": Kind.MASK, "mask_rle": "1"}, "mask"),
            ({"score": 1.5}, "1.5"),
            ({"score": -0.1}, "-0.1"),
            ({"score": float("nan")}, "nan"),
        ],
    )
    def test_an_annotation(self, values, detail):
        with pytest.raises(AnnotationInvalid) as refused:
            replace(GROUND_TRUTH[0], **values)
        assert_refused(refused, "annotation-invalid", detail, fix="--on-invalid quarantine")

    def test_a_class_of_the_whole_image_needs_no_box(self):
        assert Annotation("a", "s", Kind.CLASSIFICATION, 0).bbox_xywh_px is None

    def test_values_cannot_be_changed(self):
        with pytest.raises(AttributeError):
            Sample("s", "0" * 64, "a", 1, 1, "image/png", 1).name = "b"  # type: ignore[misc]

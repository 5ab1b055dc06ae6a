"""What a query finds: every field, operator and function of the language, in the dataset `city`."""

from __future__ import annotations

import pytest

from calotype.datasets.query import QueryInvalid, annotation_count, any_annotation, field
from calotype.datasets.query.compile import QueryFieldUnknown
from calotype.datasets.snapshot import Snapshot


def names(snapshot: Snapshot, where: object, *, label_set: str = "ground_truth") -> str:
    """The first letters of the names of the samples found, e.g. `ab`."""
    listed = snapshot.samples(where=where, label_set=label_set, columns=["name"])  # type: ignore[arg-type]
    return "".join(name[0] for name in listed["name"].to_pylist())


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("id = s1", "b"),
        ('name = "a.jpg"', "a"),
        (f'media = "{2:064x}"', "c"),
        ("width = 320", "b"),
        ("height = 720", "c"),
        ("bytes > 1000", "c"),
        ('mime = "image/png"', "c"),
        ("source = cam-1", "a"),
        ("licence = CC0-1.0", "a"),
        ("group = scene-2", "b"),
        ("split = train", "ae"),
        ("parent = s0", "e"),
        ("recipe = flip", "e"),
        ("light = day", "bc"),
        ("metadata.light = day", "bc"),
    ],
)
def test_fields_of_a_sample(city, where, found):
    assert names(city, where) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("luma = 10", "a"),
        ("luma == 10", "a"),
        ("luma != 10", "bcde"),
        ("luma <> 10", "bcde"),
        ("luma < 10", "e"),
        ("luma <= 10", "ae"),
        ("luma > 10", "b"),
        ("luma >= 10", "ab"),
        ("luma = -5", "e"),
        ("speed < 1.0", "b"),
        ("speed = 1.5", "a"),
        ("speed >= .5", "ab"),
        ("luma < 1e2", "ae"),
        ("rain = true", "a"),
        ("rain = false", "b"),
        ("rain != true", "bcde"),
        ('light < "e"', "bc"),
    ],
)
def test_comparisons(city, where, found):
    assert names(city, where) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("light is missing", "de"),
        ("light is not missing", "abc"),
        ("luma is missing", "cd"),
        ("licence is missing", "bcde"),
        ("split is missing", "d"),
        ('light in (night, "dusk")', "a"),
        ("light not in (night)", "bcde"),
        ("luma in (10, 200)", "ab"),
        ("name contains jpg", "abde"),
        ('name contains "JPG"', ""),
        ("tags has street", "ab"),
        ("tags has wet", "a"),
        ("names has copy.jpg", "a"),
        ("classes has bus", "c"),
        ("class has person", "ab"),
    ],
)
def test_words_between_a_field_and_its_value(city, where, found):
    assert names(city, where) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("split = train and luma = 10", "a"),
        ("split = val or split = test", "bc"),
        ("not split = train", "bcd"),
        ("not (split = train or split = val)", "cd"),
        ("not luma > 0", "cde"),
        ("split = val or split = train and luma = 10", "ab"),
        ("(split = val or split = train) and luma = 10", "a"),
        ("not not split = val", "b"),
        ("split = val OR NOT tags HAS street", "bcde"),
    ],
)
def test_and_or_not_and_brackets(city, where, found):
    assert names(city, where) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("class = car", "ae"),
        ("class != car", "bcd"),
        ("class contains s", "abc"),
        ("class in (bus, car)", "ace"),
        ("class_id = 1", "c"),
        ("class_id = 99", ""),
        ("supercategory = vehicle", "ace"),
        ("supercategory != vehicle", "bd"),
        ("supercategory = plant", ""),
    ],
)
def test_classes(city, where, found):
    assert names(city, where) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("annotation = a3", "b"),
        ("kind = polygon", "c"),
        ("x > 40", "a"),
        ("y = 60", "a"),
        ("w >= 40", "a"),
        ("h < 10", "c"),
        ("area > 900", "a"),
        ("iscrowd = true", "a"),
        ("author = ana", "ab"),
        ("score > 0.5", ""),
        ("any(attributes.colour = red)", "a"),
        ("any(attributes.doors = 4)", "a"),
        ("any(attributes.taxi = true)", "a"),
        ("any(attributes.colour is missing)", "abce"),
        ("any(attributes.colour contains ed)", "a"),
    ],
)
def test_fields_of_an_annotation(city, where, found):
    assert names(city, where) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("any(car)", "ae"),
        ('any("person")', "ab"),
        ("any(*)", "abce"),
        ("any()", "abce"),
        ("any(class = person and iscrowd = false)", "b"),
        ("any(car where area > 900)", "a"),
        ("any(not class = car)", "abc"),
        ("not any(car)", "bcd"),
        ("any(class = car and author = ana) and any(class = person)", "a"),
    ],
)
def test_any(city, where, found):
    assert names(city, where) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("count(car) = 2", "a"),
        ("count(car) != 2", "bcde"),
        ("count(car) >= 1", "ae"),
        ("count(car) > 1", "a"),
        ("count(car) < 2", "bcde"),
        ("count(car) <= 1", "bcde"),
        ("count(car) = 0", "bcd"),
        ("count(car) != 0", "ae"),
        ("count(car) > 0", "ae"),
        ("count(car) >= 0", "abcde"),
        ("count(car) < 0", ""),
        ("count(car) = -1", ""),
        ("count(*) = 3", "a"),
        ("count() >= 1", "abce"),
        ("count(class = car or class = person) >= 2", "a"),
        ("count(car where author = ben) = 1", "a"),
        ("count(iscrowd = true) = 1", "a"),
    ],
)
def test_count(city, where, found):
    assert names(city, where) == found


def test_annotations_are_asked_in_the_label_set_that_is_named(city):
    assert names(city, "score > 0.5", label_set="model:one") == "b"
    assert names(city, "any(bus)", label_set="model:one") == "d"


def test_a_label_set_without_annotations_finds_nothing(city):
    assert names(city, "any(*)", label_set="nobody") == ""


class TestExpressions:
    """Python builds the same tree with operators."""

    @pytest.mark.parametrize(
        ("built", "text"),
        [
            (field("luma") < 40, "luma < 40"),
            (field("luma") <= 40, "luma <= 40"),
            (field("luma") > 40, "luma > 40"),
            (field("luma") >= 40, "luma >= 40"),
            (field("luma") == 40, "luma = 40"),
            (field("luma") != 40, "luma != 40"),
            (field("tags").has("street"), "tags has street"),
            (field("split").is_in(["train", "val"]), "split in (train, val)"),
            (field("name").contains("jpg"), "name contains jpg"),
            (field("light").is_missing(), "light is missing"),
            (~field("light").is_missing(), "light is not missing"),
            ((field("luma") < 40) & (field("split") == "val"), "luma < 40 and split = val"),
            ((field("luma") < 40) | (field("split") == "val"), "luma < 40 or split = val"),
            (any_annotation("car"), "any(car)"),
            (any_annotation(field("area") > 900), "any(area > 900)"),
            (annotation_count("car") >= 2, "count(car) >= 2"),
            (annotation_count("car") > 2, "count(car) > 2"),
            (annotation_count("car") < 2, "count(car) < 2"),
            (annotation_count("car") <= 2, "count(car) <= 2"),
            (annotation_count("car") == 2, "count(car) = 2"),
            (annotation_count("car") != 2, "count(car) != 2"),
            (annotation_count() == 0, "count(*) = 0"),
        ],
        ids=str,
    )
    def test_the_operators_and_the_text_find_the_same(self, city, built, text):
        assert names(city, built) == names(city, text)

    def test_the_operators_find_samples(self, city):
        assert names(city, (field("luma") < 40) & any_annotation("car")) == "ae"

    def test_a_whole_number_of_any_size_is_compared(self, city):
        assert names(city, field("luma") < 10**400) == "abe"
        assert names(city, field("luma") < -(10**400)) == ""

    def test_an_empty_list_of_values_matches_nothing(self, city):
        assert names(city, field("split").is_in([])) == ""

    def test_python_words_between_expressions_are_refused(self):
        with pytest.raises(TypeError, match=r"combine query expressions with & \| ~"):
            bool(field("luma") < 40)


class TestTexts:
    """Texts are values: nothing in them is read as a query or as SQL."""

    @pytest.mark.parametrize(
        "text",
        ["x' OR '1'='1", 'x" or "1"="1', "x'; DROP TABLE s; --", "%", "_", "\\", "$1", "a\nb", "é", "\0"],
        ids=ascii,
    )
    def test_a_text_with_marks_of_sql_finds_only_itself(self, city, text):
        assert names(city, field("name") == text) == ""
        assert names(city, field("name").contains(text)) == ""
        assert names(city, field("tags").has(text)) == ""

    @pytest.mark.parametrize(
        "where", [r"name = 'a\.jpg'", r'name = "a.\jpg"', "name = 'a.jpg'", "name=a.jpg"]
    )
    def test_both_quotation_marks_and_escapes_are_read(self, city, where):
        assert names(city, where) == "a"


class TestRefused:
    """What cannot be read is refused with the column of the trouble."""

    @pytest.mark.parametrize(
        ("where", "column", "detail"),
        [
            ("", 1, "expected a field name, found 'the end'"),
            ("light =", 8, "expected a value, found 'the end'"),
            ("light = night x", 15, "expected `and`, `or` or the end, found 'x'"),
            ('light = "night', 9, "unclosed quotation mark"),
            ("light ~ 3", 7, "unexpected '~'"),
            ("light night", 7, "expected a comparison such as `=` or `<`, found 'night'"),
            ("(light = night", 15, "expected ')', found 'the end'"),
            ("light in night", 10, "expected '(', found 'night'"),
            ("light not night", 11, "expected `in` after `not`"),
            ("light is night", 10, "expected 'missing', found 'night'"),
            ("3 = light", 1, "expected a field name, found '3'"),
            ("any(", 5, "expected a field name, found 'the end'"),
            ("count(car)", 11, "expected a comparison such as `=` or `<`, found 'the end'"),
            ("count(car) = 1.5", 17, "a count can only be compared with a whole number"),
            ("count(car) = true", 18, "a count can only be compared with a whole number"),
            ("any(count(car) = 1)", 5, "`any` and `count` cannot be nested"),
            ("luma = dark", 1, "field 'luma' is int, 'dark' is not"),
            ("luma = true", 1, "field 'luma' is int, True is not"),
            ("rain = 1", 1, "field 'rain' is bool, 1 is not"),
            ("class < car", 1, "a class can only be compared with =, != or contains"),
        ],
    )
    def test_a_query_that_cannot_be_read(self, city, where, column, detail):
        with pytest.raises(QueryInvalid) as refused:
            names(city, where)
        error = refused.value
        assert (error.code, error.where) == ("query-invalid", f"column {column}")
        assert error.fields["detail"] == detail
        assert "count(car) >= 3" in error.remedy

    @pytest.mark.parametrize(
        ("where", "said", "hint"),
        [
            ("lumma = 3", "no field named 'lumma'", "did you mean 'luma'?"),
            ("zzz = 3", "no field named 'zzz'", "known fields: bytes, class, group"),
            ("class = cat", "no class named 'cat'", "did you mean 'car'?"),
            ("any(zzz = 3)", "no field named 'zzz'", "known fields: annotation, area, author"),
            ("light has night", "no list named 'light'", "`has` works on tags, names, classes"),
            ("any(tags has wet)", "no list named 'tags'", "`has` works on tags, names, classes"),
        ],
    )
    def test_a_name_that_nothing_has(self, city, where, said, hint):
        with pytest.raises(QueryFieldUnknown) as refused:
            names(city, where)
        error = refused.value
        assert error.code == "query-field-unknown"
        assert error.where in ("column 1", "column 5")
        assert error.message == said
        assert error.remedy.startswith(hint)

    def test_a_query_of_more_than_ten_thousand_characters(self, city):
        with pytest.raises(QueryInvalid, match="longer than 10000 characters"):
            names(city, "a" * 10_001)

    @pytest.mark.parametrize("where", ["(" * 100 + "luma = 1" + ")" * 100, "not " * 100 + "luma = 1"])
    def test_a_query_that_is_nested_too_deeply(self, city, where):
        with pytest.raises(QueryInvalid, match="nested too deeply"):
            names(city, where)

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            (f"luma < {10**30}", "abe"),
            (f"luma > -{10**30}", "abe"),
            (f"width = {10**40}", ""),
            (f"width < {10**400}", "abcde"),
            ("width > -" + "9" * 5_000, "abcde"),
            ("luma < 1e400", "abe"),
            (f"count(car) < {10**30}", "abcde"),
            (f"class_id = {10**30}", ""),
        ],
        ids=[
            "far above",
            "far below",
            "no such width",
            "400 digits",
            "5000 digits",
            "infinite",
            "count",
            "class",
        ],
    )
    def test_numbers_of_any_size_are_compared(self, city, where, found):
        assert names(city, where) == found

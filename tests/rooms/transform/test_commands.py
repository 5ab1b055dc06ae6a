"""Augment, transform and map-classes at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calotype.app.cli import main

TILT = "name: tilt\nsteps:\n  - rotate: {degrees: [-5, 5]}\ncopies: 2\n"
SQUARE = "name: square\nsteps:\n  - letterbox: {width: 32, height: 32}\n"


@pytest.fixture
def call(tmp_path, raw, capsys, monkeypatch):
    """Run a command on a workspace with the dataset shop: 24 images, 12 boxes of car and 12 of dog."""
    main_folder = tmp_path / "ws"

    def run(*words: str | Path) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as exited:
            main(["-w", str(main_folder), *map(str, words), "--json"])
        out = capsys.readouterr().out.strip()
        return int(exited.value.code or 0), json.loads(out.splitlines()[-1]) if out else None

    run("init", main_folder)
    run("dataset", "create", "shop")
    run("add", "shop", raw / "images")
    run("import", "shop", raw / "instances.json", "--format", "coco")
    monkeypatch.chdir(tmp_path)
    Path("tilt.yaml").write_text(TILT)
    Path("square.yaml").write_text(SQUARE)
    return run


def test_copies_are_planned_then_made_and_not_made_again(call):
    code, plan = call("augment", "shop", "tilt.yaml", "--where", "class = car", "--dry-run")
    assert (code, plan["to_make"], plan["unchanged"], plan["to_remove"]) == (0, 24, 0, 0)
    assert call("count", "shop")[1]["samples"] == 24
    code, derived = call("augment", "shop", "tilt.yaml", "--where", "class = car")
    assert (code, derived["made"], derived["failed"]) == (0, 24, [])
    assert call("augment", "shop", "tilt.yaml", "--where", "class = car")[1]["unchanged"] == 24
    assert call("count", "shop")[1] == {"samples": 48, "annotations": 48, "by": None}


def test_only_the_chosen_splits_are_copied(call):
    call("split", "shop", "train=.5,val=.5")
    assert call("augment", "shop", "tilt.yaml", "--dry-run")[1]["to_make"] == 24
    assert call("augment", "shop", "tilt.yaml", "--splits", "val,none", "--dry-run")[1]["to_make"] == 24
    assert call("augment", "shop", "tilt.yaml", "--splits", "all", "--dry-run")[1]["to_make"] == 48
    assert call("augment", "shop", "tilt.yaml", "--splits", "test", "--dry-run")[1]["to_make"] == 0


def test_an_unknown_label_set_is_refused(call):
    code, answer = call("augment", "shop", "tilt.yaml", "--label-set", "model:none")
    assert (code, answer["error"]["code"]) == (3, "label-set-not-found")


def test_another_dataset_takes_the_transformed_samples(call):
    code, derived = call("transform", "shop", "square.yaml", "--into", "squares")
    assert (code, derived["made"]) == (0, 24)
    assert call("count", "squares")[1] == {"samples": 24, "annotations": 24, "by": None}
    assert call("transform", "shop", "square.yaml", "--into", "squares", "--dry-run")[1]["unchanged"] == 24
    assert call("count", "shop")[1]["samples"] == 24


def test_a_random_recipe_does_not_transform(call):
    code, answer = call("transform", "shop", "tilt.yaml")
    assert (code, answer["error"]["code"]) == (2, "recipe-random")


@pytest.mark.parametrize("command", ["augment", "transform"])
def test_a_missing_recipe_file_is_not_found(call, command):
    code, answer = call(command, "shop", "none.yaml")
    assert (code, answer["error"]["code"]) == (3, "transform-file-not-found")
    assert "none.yaml" in answer["error"]["what"]
    assert "check the path" in answer["error"]["fix"]


@pytest.mark.parametrize(
    "text, where, fix",
    [
        (
            "name: tilt\nsteps:\n  - rotate: {degree: 5}\n",
            "bad.yaml line 3, steps[1].rotate.degree",
            "degrees",
        ),
        ("name: tilt\nsteps: []\n", "bad.yaml line 2, steps", "flip"),
        ("name: tilt\nsteps:\n  - flip: [\n", "bad.yaml line 4", "quotes"),
        ("name: tilt\ncopies: 2\nsteps: [greyscale]\n", "bad.yaml line 2, copies", "copies: 1"),
        ("", "bad.yaml line 1", "name:"),
    ],
    ids=["field", "no steps", "not YAML", "identical copies", "empty"],
)
def test_an_invalid_recipe_file_names_line_and_fix(call, text, where, fix):
    Path("bad.yaml").write_text(text)
    code, answer = call("augment", "shop", "bad.yaml")
    assert (code, answer["error"]["code"]) == (2, "recipe-invalid")
    assert answer["error"]["where"] == where
    assert fix in answer["error"]["fix"]


def test_classes_are_mapped_after_a_dry_run(call):
    code, plan = call("map-classes", "shop", "dog=", "car=vehicle", "--dry-run")
    assert (code, plan["applied"], plan["dropped"]) == (0, False, 12)
    assert call("count", "shop", "--by", "class")[1]["by"] == {"car": 12, "dog": 12}
    code, report = call("map-classes", "shop", "dog=", "car=vehicle")
    assert (code, report["applied"]) == (0, True)
    assert call("count", "shop", "--by", "class")[1]["by"] == {"vehicle": 12}


def test_a_mapping_file_maps_names_that_look_like_numbers(call):
    Path("classes.yaml").write_text("car: 1\ndog: no\n")
    assert call("map-classes", "shop", "--file", "classes.yaml")[0] == 0
    assert call("count", "shop", "--by", "class")[1]["by"] == {"1": 12, "no": 12}


@pytest.mark.parametrize(
    "words, text, code, where",
    [
        (["car"], None, "class-mapping-invalid", "car"),
        ([], None, "class-mapping-invalid", "mapping"),
        (["car=a", "car=b"], None, "class-mapping-invalid", "car=b"),
        (["cat=dog"], None, "ontology-class-unknown", "mapping"),
        (["--file", "none.yaml"], None, "transform-file-not-found", "none.yaml"),
        (["--file", "m.yaml"], "car: a\ndog: [b]\n", "class-mapping-invalid", "m.yaml line 2"),
        (["--file", "m.yaml"], "car: a\ncar: b\n", "class-mapping-invalid", "m.yaml line 2"),
        (["--file", "m.yaml"], "- car\n", "class-mapping-invalid", "m.yaml line 1"),
    ],
)
def test_an_invalid_mapping_is_refused_and_changes_nothing(call, words, text, code, where):
    if text is not None:
        Path("m.yaml").write_text(text)
    status, answer = call("map-classes", "shop", *words)
    assert status in (2, 3)
    assert (answer["error"]["code"], answer["error"]["where"]) == (code, where)
    assert call("count", "shop", "--by", "class")[1]["by"] == {"car": 12, "dog": 12}


def test_a_person_sees_counts_and_the_next_command(call, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(
            [
                "-w",
                str(tmp_path / "ws"),
                "augment",
                "shop",
                "tilt.yaml",
                "--where",
                "class = car",
                "--dry-run",
            ]
        )
    shown = capsys.readouterr()
    assert "to_make" in shown.out
    assert "calotype augment shop tilt.yaml --where 'class = car'" in " ".join(shown.err.split())

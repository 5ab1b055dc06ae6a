"""Predictions of a model as a label set: what is written, replaced, refused, and what a killed run leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from PIL import Image, ImageDraw
from tests.support.images import encode
from tests.support.onnx_models import COLOURS, colour_detector, constant_model, ultralytics_metadata
from tests.support.remote import TOKEN, serving_store

import calotype as ct
from calotype.acquire.service import add
from calotype.annotate import predicting
from calotype.annotate.predicting import PredictOptions, predict
from calotype.annotate.service import EditOptions, edit, undo_edit
from calotype.app.cli import main
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.rows import annotations_from_arrow
from calotype.foundation.actor import Actor
from calotype.foundation.errors import CalotypeError
from calotype.foundation.verbs import VERBS
from calotype.govern import service as govern
from calotype.reliability.service import verify
from calotype.vision.ontology import Ontology

SIZES = [(96, 96), (192, 96), (96, 192), (60, 40)]
BOXES = {"red": (0.1, 0.2, 0.4, 0.6), "blue": (0.5, 0.5, 1.0, 0.9)}
SCORE = PredictOptions(min_score=0.6)


def places(size_wh):
    """The drawn boxes in pixels."""
    return {
        name: tuple(round(share * size_wh[at % 2]) for at, share in enumerate(box))
        for name, box in BOXES.items()
    }


def draw(size_wh):
    image = Image.new("RGB", size_wh, (20, 20, 20))
    for name, (x1, y1, x2, y2) in places(size_wh).items():
        ImageDraw.Draw(image).rectangle((x1, y1, x2 - 1, y2 - 1), fill=COLOURS[name])
    return image


@pytest.fixture
def model(tmp_path):
    names = ultralytics_metadata(dict(enumerate(COLOURS)))
    return colour_detector(tmp_path / "colours.onnx", metadata=names)


@pytest.fixture
def scene(workspace, owner, tmp_path):
    """Dataset `scene` of four images of different sizes with a red and a blue box; its ontology has both."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for at, size_wh in enumerate(SIZES):
        draw(size_wh).save(folder / f"{at}.png")
    datasets.create(owner, "scene", store=workspace)
    add(owner, "scene", [folder], store=workspace)
    ontology = Ontology().add("red").add("green").add("blue")
    datasets.apply(owner, "scene", Change(ontology=ontology), store=workspace)
    return workspace


def state(store, owner):
    return datasets.read(owner, "scene", store=store)


def boxes_by_name(snapshot, label_set):
    """Name of the sample -> class -> box."""
    by_sample = snapshot.annotations_of(snapshot.ids(), label_set)
    classes = {each.id: each.name for each in snapshot.ontology.classes}
    return {
        snapshot.sample(sample_id).name: {classes[each.class_id]: each.bbox_xywh_px for each in of_sample}
        for sample_id, of_sample in by_sample.items()
    }


def code_of(call, *args, **options):
    with pytest.raises(CalotypeError) as refused:
        call(*args, **options)
    return refused.value


def test_boxes_scores_and_origin_are_in_a_label_set_of_their_own(scene, owner, model):
    result = predict(owner, "scene", model, store=scene, options=SCORE)
    assert (result.label_set, result.images, result.annotations, result.empty) == ("model:colours", 4, 8, 0)
    assert result.by_class == {"red": 4, "blue": 4}
    after = state(scene, owner)
    assert after.label_sets == ("model:colours",)
    for name, of_image in boxes_by_name(after, "model:colours").items():
        size_wh = SIZES[int(name.partition(".")[0])]
        for of_class, (x1, y1, x2, y2) in places(size_wh).items():
            x, y, w, h = of_image[of_class]
            pixel = max(1.0, max(size_wh) / 96)
            assert max(abs(x - x1), abs(y - y1), abs(x + w - x2), abs(y + h - y2)) <= 1.01 * pixel
    first = annotations_from_arrow(after.annotations("model:colours"))[0]
    assert (first.author, str(first.kind)) == ("ana", "box")
    assert first.score is not None and 0.6 <= first.score <= 1
    assert first.bbox_xywh_px is not None
    assert first.area_px == pytest.approx(first.bbox_xywh_px[2] * first.bbox_xywh_px[3])
    assert first.extra["model"] == "colours" and first.extra["model_sha256"] == result.model_sha256
    event = govern.audit(owner, store=scene, limit=1)[0]
    assert event.verb == "annotate.predict"
    assert event.details["model_sha256"] == result.model_sha256
    assert event.details["config_sha256"] == result.config_sha256


def test_boxes_follow_the_orientation_of_the_image(workspace, owner, model, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for orientation in range(1, 9):
        upright = draw((96, 48))
        turns = {
            2: [Image.Transpose.FLIP_LEFT_RIGHT],
            3: [Image.Transpose.ROTATE_180],
            4: [Image.Transpose.FLIP_TOP_BOTTOM],
            5: [Image.Transpose.TRANSPOSE],
            6: [Image.Transpose.ROTATE_90],
            7: [Image.Transpose.TRANSVERSE],
            8: [Image.Transpose.ROTATE_270],
        }
        stored = upright
        for turn in turns.get(orientation, []):
            stored = stored.transpose(turn)
        (folder / f"{orientation}.png").write_bytes(encode(stored, "image/png", orientation=orientation))
    datasets.create(owner, "scene", store=workspace)
    add(owner, "scene", [folder], store=workspace)
    options = PredictOptions(min_score=0.6, add_classes=True)
    assert predict(owner, "scene", model, store=workspace, options=options).added_classes == ("red", "blue")
    for of_image in boxes_by_name(state(workspace, owner), "model:colours").values():
        for name, (x1, y1, x2, y2) in places((96, 48)).items():
            assert of_image[name] == (x1, y1, x2 - x1, y2 - y1)


def test_a_second_run_replaces_what_the_set_had_on_these_samples(scene, owner, model):
    predict(owner, "scene", model, store=scene, options=SCORE)
    again = predict(
        owner, "scene", model, store=scene, options=PredictOptions(where="width = 192", min_score=0.6)
    )
    assert (again.images, again.annotations, again.replaced) == (1, 2, 2)
    assert state(scene, owner).count()["annotations"] == 8
    none = predict(owner, "scene", model, store=scene, options=PredictOptions(min_score=1))
    assert none.replaced == 8 and none.annotations + none.empty >= 4


def test_a_run_without_any_prediction_clears_the_set(scene, owner, model, tmp_path):
    predict(owner, "scene", model, store=scene, options=SCORE)
    (tmp_path / "none.yaml").write_text(
        "class_map: {green: green}\nothers: drop\nname: colours\nmin_score: 0.6\n"
    )
    result = predict(
        owner, "scene", model, store=scene, options=PredictOptions(config=tmp_path / "none.yaml")
    )
    assert (result.annotations, result.empty, result.replaced) == (0, 4, 8)
    assert state(scene, owner).count()["annotations"] == 0


def test_any_number_of_images_is_gathered(scene, owner, model, monkeypatch):
    monkeypatch.setattr(predicting, "_FOLDED_IMAGES", 3)
    assert predict(owner, "scene", model, store=scene, options=SCORE).annotations == 8
    gathered = boxes_by_name(state(scene, owner), "model:colours")
    monkeypatch.undo()
    predict(owner, "scene", model, store=scene, options=SCORE)
    assert boxes_by_name(state(scene, owner), "model:colours") == gathered


def test_a_query_without_samples_changes_nothing(scene, owner, model):
    before = state(scene, owner).state_sha256
    result = predict(owner, "scene", model, store=scene, options=PredictOptions(where="width = 7"))
    assert (result.images, result.annotations, result.replaced) == (0, 0, 0)
    assert state(scene, owner).state_sha256 == before


def test_one_run_is_one_edit_that_can_be_undone(scene, owner, model):
    predict(owner, "scene", model, store=scene, options=SCORE)
    undo_edit(owner, "scene", store=scene)
    assert state(scene, owner).count()["annotations"] == 0


def test_unknown_classes_are_refused_before_the_run_or_added(scene, owner, tmp_path):
    names = ultralytics_metadata({0: "red", 1: "verde", 2: "blu"})
    model = colour_detector(tmp_path / "it.onnx", metadata=names)
    error = code_of(predict, owner, "scene", model, store=scene, options=SCORE)
    assert error.code == "predicted-classes-unknown"
    assert "2 classes" in error.message and "verde, blu" in error.message and "--add-classes" in error.remedy
    assert state(scene, owner).label_sets == ()
    options = PredictOptions(min_score=0.6, add_classes=True)
    result = predict(owner, "scene", model, store=scene, options=options)
    assert result.added_classes == ("blu",)  # nothing green is in the images
    assert state(scene, owner).ontology.names == ("red", "green", "blue", "blu")


def test_a_closed_ontology_gets_no_classes(scene, owner, tmp_path):
    datasets.apply(owner, "scene", Change(ontology=Ontology(closed=True).add("red")), store=scene)
    model = colour_detector(tmp_path / "m.onnx", metadata=ultralytics_metadata(dict(enumerate(COLOURS))))
    options = PredictOptions(min_score=0.6, add_classes=True)
    error = code_of(predict, owner, "scene", model, store=scene, options=options)
    assert error.code == "predicted-classes-unknown" and "closed" in error.remedy


def test_what_people_drew_is_never_replaced(scene, owner, model):
    sample_id = state(scene, owner).ids()[0]
    drawn = {"do": "add", "sample": sample_id, "class": "red", "kind": "box", "bbox": [1, 2, 3, 4]}
    options = predicting.PredictOptions(label_set="vendor:acme", min_score=0.6)
    edit(owner, "scene", [drawn], store=scene, options=EditOptions(label_set="vendor:acme"))
    error = code_of(predict, owner, "scene", model, store=scene, options=options)
    assert error.code == "label-set-of-people" and error.count == 1
    assert "model:colours" in error.remedy
    options = PredictOptions(label_set="ground_truth")
    assert (
        code_of(predict, owner, "scene", model, store=scene, options=options).code
        == "predict-options-invalid"
    )


def test_images_that_cannot_be_read_are_named_and_left_out(scene, owner, model):
    sample = state(scene, owner).sample("1.png")
    path = scene.media.path(sample.media_sha256)
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    result = predict(owner, "scene", model, store=scene, options=SCORE)
    assert (result.failed, result.images, result.annotations) == (("1.png",), 3, 6)


def test_a_classifier_gives_classes_of_whole_images(scene, owner, tmp_path):
    model = constant_model(tmp_path / "m.onnx", {"logits": [[0.0, 2.0, 1.0]]})
    (tmp_path / "m.yaml").write_text("name: kinds\nclasses: [red, green, blue]\ntop_k: 2\n")
    options = PredictOptions(config=tmp_path / "m.yaml")
    result = predict(owner, "scene", model, store=scene, options=options)
    assert result.by_class == {"green": 4, "blue": 4}
    first = annotations_from_arrow(state(scene, owner).annotations("model:kinds"))[0]
    assert (str(first.kind), first.bbox_xywh_px, first.area_px) == ("classification", None, None)


def test_samples_that_are_removed_during_the_run_get_nothing(scene, owner, model, monkeypatch):
    gone = state(scene, owner).ids()[0]

    def progress(what, done, total):
        assert (what, done, total) == ("predicting", 4, 4)
        datasets.apply(owner, "scene", Change(remove_samples=[gone]), store=scene)

    result = predict(owner, "scene", model, store=scene, options=SCORE, progress=progress)
    assert (result.images, result.annotations) == (3, 6)
    assert state(scene, owner).count() == {"samples": 3, "annotations": 6}


def test_too_many_predictions_are_refused_and_nothing_is_written(scene, owner, model, monkeypatch):
    monkeypatch.setattr(predicting, "MAX_PREDICTIONS", 5)
    error = code_of(predict, owner, "scene", model, store=scene, options=SCORE)
    assert error.code == "predictions-too-many"
    assert state(scene, owner).label_sets == ()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (PredictOptions(label_set="a\nb"), "predict-options-invalid"),
        (PredictOptions(min_score=1.5), "predict-options-invalid"),
        (PredictOptions(min_score=float("nan")), "predict-options-invalid"),
        (PredictOptions(where="nothing ="), "query-invalid"),
    ],
)
def test_options_that_cannot_be_are_refused(scene, owner, model, options, code):
    assert code_of(predict, owner, "scene", model, store=scene, options=options).code == code


def test_over_http_no_model_file_of_the_server_is_loaded(scene, model):
    assert VERBS["annotate.predict"].here
    with serving_store(scene) as address:
        workspace = ct.open(address, token=TOKEN)
        error = code_of(workspace.dataset("scene").annotate.predict, model)
        assert error.code == "only-where-the-data-is"
        workspace.close()


def test_the_guard_is_asked_first(scene, model):
    nobody = Actor.nobody()
    refused = code_of(predict, nobody, "scene", "/does/not/exist.onnx", store=scene)
    assert refused.code in {"not-permitted", "dataset-not-found"}


def test_python_and_the_command_line_give_the_same(scene, owner, model, capsys, monkeypatch):
    with ct.open(scene.root) as workspace:
        python = workspace.dataset("scene").annotate.predict(model, label_set="model:a", min_score=0.6)
    monkeypatch.chdir(scene.root)

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(["predict", "scene", "--model", str(model), *words])
        return ended.value.code or 0, capsys.readouterr()

    code, printed = run("--as", "model:a", "--min-score", "0.6", "--json")
    assert code == 0
    assert json.loads(printed.out) == python.to_dict() | {"replaced": 8}
    code, printed = run("--as", "model:b", "--min-score", "0.6", "--where", "width = 60")
    assert code == 0 and "red" in printed.out and "undo-edit" in printed.err
    assert run("--config", "missing.yaml")[0] == 3
    assert run("--min-score", "2")[0] == 2
    assert run("--as", "ground_truth", "--json")[0] == 2


CHILD = """
import os, signal, sys
from pathlib import Path
from calotype.annotate import predicting
from calotype.datasets import repository
from calotype.foundation.actor import Actor
from calotype.store.store import open_workspace
from calotype.store.tables.tables import Tables

def die(*_args, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

folder, point, model = sys.argv[1:]
target, name = {
    "running": (predicting._Run, "_add"), "staged": (Tables, "publish"), "moved": (repository, "move_ref"),
}[point]
setattr(target, name, die)
options = predicting.PredictOptions(min_score=0.6)
store = open_workspace(Path(folder))
predicting.predict(Actor(id="test:ana", name="ana"), "scene", Path(model), store=store, options=options)
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", ["running", "staged", "moved"])
def test_a_killed_run_leaves_nothing_behind_and_can_be_repeated(scene, owner, model, point):
    predict(owner, "scene", model, store=scene, options=SCORE)
    before = state(scene, owner).annotations("model:colours").to_pylist()
    command = [sys.executable, "-c", CHILD, str(scene.root), point, str(model)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert state(scene, owner).annotations("model:colours").to_pylist() == before
    assert predict(owner, "scene", model, store=scene, options=SCORE).replaced == 8
    assert not verify(owner, store=scene).problems

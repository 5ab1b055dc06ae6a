"""Model files: what is opened, what is refused, and within which limits."""

from __future__ import annotations

import os

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tests.support.onnx_models import IR, OPSET, constant_model

from calotype.foundation.errors import CalotypeError
from calotype.models import graph, registry, sessions
from calotype.models.description import parse
from calotype.models.graph import external_files, read_model
from calotype.models.model import ModelNotRunnable, ModelUnusable
from calotype.models.predictor import Predictor

CLASSES = parse("classes: [a, b]")


def with_weights_in(folder, location):
    """A classifier whose weights are in another file."""
    weights = numpy_helper.from_array(np.zeros((1, 2), np.float32), "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "8")):
        weights.external_data.add(key=key, value=value)
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Add", ["w", "mean"], ["logits"]),
    ]
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 8, 8])
    answer = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2])
    made = helper.make_graph(nodes, "g", [image], [answer], [weights])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    path = folder / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_weights_beside_the_model_are_read_and_part_of_its_hash(tmp_path):
    model = with_weights_in(tmp_path, "w.bin")
    (tmp_path / "w.bin").write_bytes(np.array([1, 2], np.float32).tobytes())
    first = Predictor(model, CLASSES)
    framing = first.framing((8, 8))
    tensor = first.tensor(np.zeros((8, 8, 3), np.uint8), framing)
    assert first.classes[first.predict([tensor], [framing])[0].classes[0]] == "b"
    (tmp_path / "w.bin").write_bytes(np.array([2, 1], np.float32).tobytes())
    assert Predictor(model, CLASSES).sha256 != first.sha256


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", "a/../../w.bin", "link.bin"])
def test_weights_outside_the_folder_of_the_model_are_never_opened(tmp_path, location):
    (tmp_path / "w.bin").write_bytes(bytes(8))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    with pytest.raises(ModelNotRunnable, match="outside the folder of the model"):
        Predictor(with_weights_in(folder, location), CLASSES)


def test_weights_inside_branches_and_attributes_are_seen():
    weights = TensorProto(data_location=TensorProto.EXTERNAL, data_type=1, dims=[1])
    weights.external_data.add(key="location", value="deep.bin")
    constant = helper.make_node("Constant", [], ["c"], value=weights)
    branch = helper.make_graph([constant], "b", [], [])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    model = helper.make_model(helper.make_graph([node], "g", [], []))
    assert set(external_files(model.SerializeToString())) == {"deep.bin"}
    function = helper.make_function("d", "f", [], ["c"], [constant], [helper.make_opsetid("", OPSET)])
    model = helper.make_model(helper.make_graph([], "g", [], []), functions=[function])
    assert set(external_files(model.SerializeToString())) == {"deep.bin"}


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_are_read_or_refused(data):
    try:
        assert all(isinstance(location, str) for location in external_files(data))
    except ModelNotRunnable as error:
        assert error.code == "model-not-runnable"


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x80\x02}q\x00.", b"PK\x03\x04", bytes(100)])
def test_files_that_are_not_models_are_refused(tmp_path, data):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelNotRunnable):
        Predictor(path, CLASSES)
    with pytest.raises(ModelUnusable):
        registry.embedder(str(path))


def test_a_cut_model_is_refused(tmp_path):
    model = constant_model(tmp_path / "m.onnx", {"logits": [[0.0, 1.0]]})
    data = model.read_bytes()
    for length in range(0, len(data), 37):
        model.write_bytes(data[:length])
        with pytest.raises(CalotypeError):
            Predictor(model, CLASSES)


def test_folders_pipes_and_missing_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    for name, code in (
        ("pipe.onnx", "model-not-runnable"),
        (".", "model-not-runnable"),
        ("no.onnx", "path-not-found"),
    ):
        with pytest.raises(CalotypeError) as refused:
            read_model(tmp_path / name)
        assert refused.value.code == code


def test_a_model_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    model = constant_model(tmp_path / "m.onnx", {"logits": [[0.0, 1.0]]})
    monkeypatch.setattr(graph, "MAX_MODEL_BYTES", 100)
    with pytest.raises(ModelNotRunnable, match="larger than"):
        Predictor(model, CLASSES)


def test_outputs_that_are_too_large_are_refused(tmp_path, monkeypatch):
    model = constant_model(tmp_path / "m.onnx", {"logits": [[0.0] * 200]})
    monkeypatch.setattr(sessions, "MAX_OUTPUT_VALUES", 100)
    with pytest.raises(ModelNotRunnable, match="200 numbers"):
        Predictor(model, CLASSES)


def test_a_graph_that_fails_when_it_runs_is_refused(tmp_path):
    nodes = [
        helper.make_node("Reshape", ["images", "sides"], ["logits"]),
    ]
    sides = numpy_helper.from_array(np.array([7, 7], np.int64), "sides")
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 8, 8])
    answer = helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)
    model = helper.make_model(
        helper.make_graph(nodes, "g", [image], [answer], [sides]),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(ModelNotRunnable):
        Predictor(tmp_path / "m.onnx", CLASSES)

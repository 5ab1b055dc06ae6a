"""The page on predictions runs as written, and lists every key of a description."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest
from PIL import Image, ImageDraw
from tests.support.onnx_models import COLOURS, colour_detector, ultralytics_metadata
from tests.support.pages import blocks, run_lines

from calotype.acquire.service import add
from calotype.app.cli import main
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.models.description import Description, InputSection, OutputSection, Style, parse
from calotype.vision.ontology import Ontology


@pytest.fixture
def page(repo):
    return repo / "docs" / "how-to" / "annotate-predict.md"


@pytest.fixture
def shapes(workspace, owner, tmp_path, monkeypatch):
    """Dataset `shapes` of three images with a red and a blue box each, beside the model `detector.onnx`."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for at, side in enumerate((96, 192, 64)):
        image = Image.new("RGB", (side, side), (20, 20, 20))
        for name, left in (("red", 8), ("blue", side // 2)):
            ImageDraw.Draw(image).rectangle((left, 8, left + 20, 30), fill=COLOURS[name])
        image.save(folder / f"{at}.png")
    datasets.create(owner, "shapes", store=workspace)
    add(owner, "shapes", [folder], store=workspace)
    ontology = Ontology().add("red").add("green").add("blue")
    datasets.apply(owner, "shapes", Change(ontology=ontology), store=workspace)
    names = ultralytics_metadata(dict(enumerate(COLOURS)))
    colour_detector(workspace.root / "detector.onnx", metadata=names)
    monkeypatch.chdir(workspace.root)
    return workspace


def test_the_page_runs(page, shapes, owner, capsys):
    plain, described = blocks(page, "bash")
    run_lines(plain, capsys)
    (yaml,) = blocks(page, "yaml")
    (shapes.root / "detector.yaml").write_text(yaml)
    with pytest.raises(SystemExit) as ended:
        words = ["predict", "shapes", "--model", "detector.onnx", "--config", "detector.yaml"]
        main([*words, "--where", "width >= 96", "--add-classes", "--json"])
    assert not ended.value.code
    answer = json.loads(capsys.readouterr().out)
    assert (answer["label_set"], answer["images"]) == ("model:shapes-2", 2)
    assert answer["by_class"] == {"stop": 2, "blue": 2}
    assert answer["added_classes"] == ["stop"]
    assert " ".join(words) in described
    (python,) = blocks(page, "python")
    exec(compile(python, page.name, "exec"), {})
    assert capsys.readouterr().out.split(maxsplit=2)[:2] == ["2", "2"]
    after = datasets.read(owner, "shapes", store=shapes)
    assert after.label_sets == ("model:first", "model:shapes-2")


def test_the_page_lists_every_key_and_style(page):
    text = page.read_text("utf-8")
    listed = {
        part.rpartition(".")[2]
        for row in re.findall(r"^\| (`.+?) \|", text, re.M)
        for part in re.findall(r"`([\w.-]+)`", row)
    }
    sections = {name for each in (Description, InputSection, OutputSection) for name in each.model_fields}
    assert sections - {"input", "output"} <= listed
    assert set(get_args(Style)) <= listed
    assert parse(blocks(page, "yaml")[0]).description.name == "shapes-2"

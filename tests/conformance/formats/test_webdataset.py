"""WebDataset, by the format description of its library."""

from __future__ import annotations

import gc
import gzip
import io
import json
import tarfile
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.support.exports import FEW, box, losses, sample, text, there_and_back, warnings, write
from tests.support.labels import read_labels

import calotype as ct
from calotype.datasets.model import Annotation, Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.formats.survey import Survey
from calotype.public_formats.records.webdataset import key_and_part

WDS = registry.reader("webdataset")


def png(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(out, "PNG")
    return out.getvalue()


def shard(file: Path, *members: tuple[str, bytes]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file


@pytest.fixture
def shards(tmp_path):
    objects = {"objects": {"bbox": [[1, 2, 3, 4]], "category": ["cat"]}, "light": "day", "label": "street"}
    shard(
        tmp_path / "set-train-000000.tar",
        ("d/a.png", png()),
        ("d/a.json", json.dumps(objects).encode()),
        ("d/a.seg.png", png("blue")),
        ("b.png", png("green")),
        ("b.cls", b"1\n"),
        ("b.txt", "ein Hund ✓".encode()),
        ("c.json", b'{"label": "x"}'),
    )
    shard(tmp_path / "set-val-000000.tar", ("b.png", png("white")), ("e.JPG.png", png()))
    text(tmp_path / "classnames.txt", "cat\ndog\n")
    return tmp_path


def test_shards_of_two_splits(shards):
    found = registry.detect(shards)
    assert (found.format.name, found.sighting.evidence) == ("webdataset", ("set-train-000000.tar",))
    labels = read_labels(WDS, shards)
    assert not labels.problems
    facts = [(r.image, r.class_name, r.drawn.kind) for r in labels.annotations]
    assert facts == [
        ("d/a.png", "cat", Kind.BOX),
        ("d/a.png", "street", Kind.CLASSIFICATION),
        ("b.png", "dog", Kind.CLASSIFICATION),
        ("b.png", "caption", Kind.CAPTION),
    ]
    assert {i.name: (i.split, dict(i.metadata)) for i in labels.images} == {
        "d/a.png": ("train", {"light": "day"}),
        "b.png": ("train", {}),
        "set-val-000000/b.png": ("val", {}),
    }
    assert warnings(WDS, shards) == {
        "file-not-labels": 2,
        "image-without-labels": 1,
        "label-without-image": 1,
    }


def test_images_are_read_from_their_place_in_the_shard(shards, tmp_path):
    (source,) = WDS.open(shards)
    files = [Path(file.path).read_bytes() for file in source.locate(0, 3) if file is not None]
    assert files == [png(), png("green"), png("white")]
    with ct.open(tmp_path / "ws") as ws:
        took = ws.create("shop").add_annotations(shards)
        assert (took.samples, took.annotations, took.skipped) == (3, 4, 0)


@pytest.mark.parametrize("ending", ["tar.gz", "tgz", "TAR.GZ", "tar"])
def test_a_shard_compressed_with_gzip_is_read_as_a_plain_one(tmp_path, ending):
    plain = shard(
        tmp_path / "plain.bin", ("a.png", png()), ("a.cls", b"0"), ("b.png", png("blue")), ("b.cls", b"1")
    )
    file = tmp_path / f"set/x-val-000000.{ending}"
    text(tmp_path / "set/classnames.txt", "cat\ndog\n")
    file.write_bytes(gzip.compress(plain.read_bytes()) + bytes(512))
    assert registry.detect(tmp_path / "set").format.name == "webdataset"
    labels = read_labels(WDS, tmp_path / "set")
    assert [(a.image, a.class_name) for a in labels.annotations] == [("a.png", "cat"), ("b.png", "dog")]
    assert ({image.split for image in labels.images}, labels.problems) == ({"val"}, [])
    with ct.open(tmp_path / "ws") as ws:
        took = ws.create("shop").add_annotations(tmp_path / "set")
        assert (took.samples, took.annotations, took.skipped) == (2, 2, 0)


def test_members_of_gzip_behind_each_other_are_one_file(tmp_path):
    data = shard(tmp_path / "plain.bin", ("a.png", png()), ("a.cls", b"0")).read_bytes()
    parts = [gzip.compress(data[at : at + 700]) for at in range(0, len(data), 700)]
    (tmp_path / "x.tar.gz").write_bytes(b"".join(parts))
    assert len(read_labels(WDS, tmp_path).annotations) == 1


def bomb() -> bytes:
    """100 MB of zeros in 100 kB."""
    return gzip.compress(bytes(100_000_000))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb, "it unpacks to more than 64,000,000 bytes"),
        (lambda: gzip.compress(b"x") * 200_001, "more than 200,000 compressed parts"),
        (lambda: gzip.compress(bytes(9_000))[:-9], "its compressed data end too early"),
        (lambda: b"\x1f\x8b\x08\x08" + b"A" * 1_000_000, "its compressed data end too early"),
        (lambda: b"\x1f\x8b\x08\x00" + b"\xff" * 1_000, "its compressed data are broken"),
        (lambda: b"\x1f\x8b", "its compressed data end too early"),
    ],
    ids=["bomb", "many-parts", "cut-off", "endless-name", "noise", "two-bytes"],
)
def test_hostile_compressed_shards_are_problems_and_leave_nothing_behind(tmp_path, monkeypatch, data, reason):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    text(tmp_path / "set/x", "")
    (tmp_path / "set/x.tar.gz").write_bytes(data())
    shard(tmp_path / "set/good.tar", ("c.png", png()), ("c.cls", b"0"))
    started = time.monotonic()
    labels = read_labels(WDS, tmp_path / "set")
    assert time.monotonic() - started < 20
    assert len(labels.annotations) == 1
    (problem,) = labels.problems
    assert (problem.where, reason in problem.reason) == ("x.tar.gz", True), problem
    gc.collect()
    assert not list((tmp_path / "temporary").iterdir())


def test_names_of_the_archive_never_become_paths(tmp_path):
    shard(tmp_path / "x.tar", ("../../evil.png", png()), ("/abs.png", png("blue")))
    with tarfile.open(tmp_path / "links.tar", "w") as tar:
        for name, kind in (
            ("a.png", tarfile.SYMTYPE),
            ("b.png", tarfile.LNKTYPE),
            ("c.png", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    (source,) = WDS.open(tmp_path)
    for file in source.locate(0, len(source.images)):
        assert file is not None
        assert Path(file.path).name.isdigit()
    assert warnings(WDS, tmp_path)["file-not-labels"] == 3
    assert not list(tmp_path.parent.parent.rglob("evil.png"))


def test_broken_shards_and_parts_cost_themselves(shards):
    data = (shards / "set-train-000000.tar").read_bytes()
    (shards / "cut-000000.tar").write_bytes(data[:1_500])
    (shards / "junk.tar").write_bytes(b"no tar" * 1_000)
    (shards / "packed.tar").write_bytes(b"BZh9" + bytes(100))
    shard(
        shards / "odd.tar",
        ("f.png", png()),
        ("f.json", b"[" * 100_000),
        ("g.png", png()),
        ("g.json", b"[1]"),
        ("g.cls", b"\xff"),
        ("h.png", png()),
        ("h.json", b'{"objects": [{"bbox": [1, 2, NaN, 4]}]}'),
    )
    labels = read_labels(WDS, shards)
    assert len(labels.annotations) == 4
    problems = {problem.where: problem.reason for problem in labels.problems}
    assert "compressed" in problems["packed.tar"]
    assert {"junk.tar", "odd.tar f.json", "odd.tar g.json", "odd.tar g.cls", "odd.tar h objects[0]"} < set(
        problems
    )
    assert all(len(reason) < 250 for reason in problems.values())


def test_other_tar_files_are_not_mistaken_for_it(tmp_path):
    shard(tmp_path / "code.tar", ("a.py", b"x"))
    assert WDS.recognise(Survey(tmp_path)) is None
    (tmp_path / "code.tar").unlink()
    with pytest.raises(LabelFileUnreadable):
        WDS.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b.tar.gz/c.seg.png", ("a/b.tar.gz/c", "seg.png")),
        ("./a.JPG", ("a", "jpg")),
        ("a", ("a", "")),
        (".hidden.png", ("", "hidden.png")),
    ],
)
def test_the_key_ends_at_the_first_dot_of_the_file_name(name, expected):
    assert key_and_part(name) == expected


def test_what_it_cannot_keep_is_a_loss(tmp_path):
    whole = Annotation("c", "s", Kind.CLASSIFICATION, 1)
    caption = Annotation("t", "s", Kind.CAPTION, 2, attributes={"text": "a\nb"})
    items = [
        (
            sample("d/a.b.png", split="val"),
            [box((1, 2, 3, 4), source_id="9", attributes={"n": 1}), whole, caption],
        ),
        (sample("d/a_b.png", split="val", tags=("background",)), []),
        (sample("c.png"), []),
    ]
    written, back = there_and_back(WDS, tmp_path, items, ["car", "dog", "caption"])
    assert written.files == ("classnames.txt", "train-000000.tar", "validation-000000.tar")
    assert written.n_annotations == len(back.annotations) == 3
    assert losses(written) == {
        "dots in the name of an image (replaced by `_`)": 2,
        "missing split of a sample (train is written)": 1,
    }
    assert back.annotations[0].drawn.source_id == "9"
    assert dict(back.annotations[0].drawn.attributes) == {"n": 1}
    assert [read.class_name for read in back.annotations] == ["car", "dog", "caption"]
    assert {i.name: (i.split, i.tags) for i in back.images} == {
        "d/a_b.png": ("val", ()),
        "d/a_b_2.png": ("val", ("background",)),
        "c.png": ("train", ()),
    }
    with tarfile.open(tmp_path / "validation-000000.tar") as tar:
        assert tar.getnames() == [
            "d/a_b.png",
            "d/a_b.cls",
            "d/a_b.txt",
            "d/a_b.json",
            "d/a_b_2.png",
            "d/a_b_2.json",
        ]
        opened = tar.extractfile("d/a_b.cls")
        assert opened is not None
        assert opened.read() == b"1"


def test_the_same_input_gives_the_same_bytes(tmp_path):
    items = [(sample("a.png", split="train"), [box((1, 2, 3, 4))])]
    for name in ("one", "two"):
        write(WDS, tmp_path / name, items)
    assert (tmp_path / "one/train-000000.tar").read_bytes() == (
        tmp_path / "two/train-000000.tar"
    ).read_bytes()


sides = st.floats(0, 9_000, allow_nan=False)


@FEW
@given(boxes=st.lists(st.tuples(sides, sides, sides, sides, st.integers(0, 1)), max_size=5))
def test_boxes_survive_to_the_last_digit(tmp_path_factory, boxes):
    drawn = [box(at, number) for *at, number in boxes]
    items = [(sample("a.png", split="train", tags=("background",)), drawn)]
    _, back = there_and_back(WDS, tmp_path_factory.mktemp("out"), items)
    assert not back.problems
    assert [read.drawn.bbox_xywh_px for read in back.annotations] == [a.bbox_xywh_px for a in drawn]
    assert [read.class_name for read in back.annotations] == [("car", "dog")[a.class_id] for a in drawn]

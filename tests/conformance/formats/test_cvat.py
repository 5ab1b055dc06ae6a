"""CVAT XML 1.1 for images and video, by the format pages of the CVAT documentation."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from tests.support.labels import ReadLabels, read_labels
from tests.support.written_labels import annotation, losses, notices, pixels, sample, write

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.tool_formats import shapes

CVAT = registry.reader("cvat")
META = """<meta><task><labels>
<label><name>car</name><attributes>
  <attribute><name>parked</name><mutable>False</mutable><input_type>checkbox</input_type></attribute>
  <attribute><name>doors</name><mutable>False</mutable><input_type>number</input_type></attribute>
  <attribute><name>colour</name><mutable>False</mutable><input_type>select</input_type></attribute>
</attributes></label>
<label><name>person</name><type>skeleton</type>
  <svg>&lt;line data-type="edge" data-node-from="2" data-node-to="1"&gt;&lt;/line&gt;
  &lt;circle data-node-id="1" data-label-name="head"&gt;&lt;/circle&gt;
  &lt;circle data-node-id="2" data-label-name="foot"&gt;&lt;/circle&gt;</svg></label>
<label><name>head</name><type>points</type><parent>person</parent></label>
<label><name>foot</name><type>points</type><parent>person</parent></label>
</labels></task></meta>"""


def images(folder: Path, inside: str, *, meta: str = META, image: str = "") -> ReadLabels:
    """The labels of one image of 40x30 pixels with these elements."""
    Image.new("L", (40, 30)).save(folder / "a.png")
    tag = image or '<image id="0" name="a.png" width="40" height="30">'
    (folder / "annotations.xml").write_text(f"<annotations>{meta}{tag}{inside}</image></annotations>")
    return read_labels(CVAT, folder)


def video(folder: Path, tracks: str, *, task: str = "<size>10</size>", n_frames: int = 10) -> ReadLabels:
    (folder / "images").mkdir(exist_ok=True)
    for number in range(n_frames):
        Image.new("L", (40, 30)).save(folder / f"images/frame_{number:06d}.PNG")
    text = f"<annotations><meta><task>{task}</task><source>drive.mp4</source></meta>{tracks}</annotations>"
    (folder / "annotations.xml").write_text(text)
    return read_labels(CVAT, folder)


def lefts(labels: ReadLabels) -> list[float]:
    return [read.drawn.bbox_xywh_px[0] for read in labels.annotations if read.drawn.bbox_xywh_px]


def box(frame: int, x: int, more: str = "") -> str:
    return f'<box frame="{frame}" xtl="{x}" ytl="0" xbr="{x + 10}" ybr="10" {more}></box>'


def test_attributes_have_the_types_that_the_label_declares(tmp_path):
    (read,) = images(
        tmp_path,
        """<box label="car" occluded="1" xtl="1.50" ytl="2" xbr="11.5" ybr="12" z_order="3" group_id="4">
        <attribute name="parked">true</attribute><attribute name="doors">5</attribute>
        <attribute name="colour">red</attribute></box>""",
    ).annotations
    assert read.drawn.bbox_xywh_px == (1.5, 2.0, 10.0, 10.0)
    known = {"parked": True, "doors": 5, "colour": "red", "occluded": True, "group_id": 4}
    assert (dict(read.drawn.attributes), dict(read.drawn.extra)) == (known, {"z_order": 3})


def test_a_value_that_is_not_of_its_type_is_kept_as_text_with_a_notice(tmp_path):
    labels = images(
        tmp_path,
        '<box label="car" xtl="1" ytl="2" xbr="3" ybr="4"><attribute name="doors">many</attribute></box>',
    )
    assert dict(labels.annotations[0].drawn.attributes) == {"doors": "many"}
    assert notices(CVAT, tmp_path)["value-unknown"] == 1


def test_a_rotated_box_turns_clockwise_about_its_centre(tmp_path):
    (read,) = images(
        tmp_path, '<box label="car" xtl="10" ytl="10" xbr="20" ybr="14" rotation="90.00"></box>'
    ).annotations
    assert read.drawn.kind is Kind.ROTATED_BOX
    assert read.drawn.rings_px[0] == pytest.approx((17, 7, 17, 17, 13, 17, 13, 7))
    assert read.drawn.bbox_xywh_px == pytest.approx((13, 7, 4, 10))


def test_the_runs_of_a_mask_go_row_by_row_inside_its_box(tmp_path):
    (read,) = images(
        tmp_path, '<mask label="car" rle="1, 2, 3" left="5" top="6" width="3" height="2"></mask>'
    ).annotations
    expected = np.zeros((30, 40), bool)
    expected[6, 6:8] = True
    assert np.array_equal(pixels(read.drawn), expected)
    assert read.drawn.bbox_xywh_px == (6, 6, 2, 1)


def test_a_skeleton_keeps_its_points_their_order_and_what_hides_them(tmp_path):
    labels = images(
        tmp_path,
        """<skeleton label="person"><points label="foot" outside="0" occluded="1" points="7,8"></points>
        <points label="head" outside="1" occluded="0" points="1,2"></points></skeleton>""",
    )
    assert labels.annotations[0].drawn.keypoints_xyv == (0, 0, 0, 7, 8, 1)
    (person,) = [one for one in labels.classes if one.name == "person"]
    assert (person.keypoints, person.skeleton) == (("head", "foot"), ((1, 0),))


def test_other_shapes(tmp_path):
    corners = " ".join(
        f'x{c}="{x}" y{c}="{y}"'
        for c, x, y in [
            ("tl1", 2, 2), ("bl1", 2, 8), ("tr1", 8, 2), ("br1", 8, 8),
            ("tl2", 5, 1), ("bl2", 5, 7), ("tr2", 11, 1), ("br2", 11, 7),
        ]
    )  # fmt: skip
    labels = images(
        tmp_path,
        f"""<polygon label="car" points="1,1;5,1;5,4.5"></polygon><polyline label="car" points="1,1;9,9"></polyline>
        <points label="car" points="3,4;5,6"></points><ellipse label="car" cx="20" cy="10" rx="6" ry="3"></ellipse>
        <tag label="car"></tag><cuboid label="car" {corners}></cuboid>""",
    )
    kinds = ["polygon", "polyline", "point", "ellipse", "classification", "polygon"]
    assert [read.drawn.kind for read in labels.annotations] == kinds
    assert labels.annotations[3].drawn.bbox_xywh_px == pytest.approx((14, 7, 12, 6))
    assert labels.annotations[5].drawn.bbox_xywh_px == (2, 1, 9, 7)
    assert len(labels.annotations[5].drawn.extra["cuboid"]) == 16
    assert notices(CVAT, tmp_path)["shape-converted"] == 1


BAD = [
    '<box label="car" xtl="nan" ytl="2" xbr="3" ybr="4"></box>',
    '<box label="car" xtl="1e400" ytl="2" xbr="3" ybr="4"></box>',
    '<box label="car" xtl="9" ytl="2" xbr="3" ybr="4"></box>',
    '<box label="car" ytl="2" xbr="3" ybr="4"></box>',
    '<box xtl="1" ytl="2" xbr="3" ybr="4"></box>',
    '<polygon label="car" points="1,1;2"></polygon>',
    '<polygon label="car" points="1,1;2,2"></polygon>',
    '<mask label="car" rle="1" left="0" top="0" width="99999" height="99999"></mask>',
    '<mask label="car" rle="1,-2" left="0" top="0" width="1" height="1"></mask>',
    '<mask label="car" rle="9" left="0" top="0" width="3" height="2"></mask>',
    '<skeleton label="person"><points label="tail" points="1,1"></points></skeleton>',
    '<star label="car"></star>',
    f'<box label="{"x" * 600}" xtl="1" ytl="2" xbr="3" ybr="4"></box>',
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_element_costs_itself_only(tmp_path, bad):
    good = '<box label="car" xtl="1" ytl="2" xbr="3" ybr="4"></box>'
    labels = images(tmp_path, bad + good)
    assert len(labels.annotations) == 1
    (problem,) = labels.problems
    assert problem.where.startswith("annotations.xml image[0]")
    assert len(problem.reason) < 200


def test_the_subset_of_an_image_is_its_split(tmp_path):
    (tmp_path / "images/Train").mkdir(parents=True)
    Image.new("L", (40, 30)).save(tmp_path / "images/Train/a.png")
    tag = '<image id="0" name="a.png" subset="Train" width="40" height="30">'
    (image,) = images(tmp_path, "", image=tag).images
    assert (image.split, image.name) == ("train", "Train/a.png")


def test_a_track_goes_on_between_its_keyframes_until_it_is_outside(tmp_path):
    track = f"""<track id="7" label="car">{box(0, 0, 'keyframe="1" outside="0"')}{box(4, 8)}
    {box(6, 8, 'outside="1"')}{box(8, 20, 'occluded="1"')}</track>"""
    labels = video(tmp_path, track)
    at = {i.metadata["frame"]: i.name for i in labels.images}
    assert list(at) == [0, 1, 2, 3, 4, 5, 8, 9]
    assert at[3] == "frame_000003.PNG"
    left = lefts(labels)
    assert left == [0, 2, 4, 6, 8, 8, 20, 20]
    assert {read.drawn.attributes["track_id"] for read in labels.annotations} == {7}
    assert labels.images[0].metadata["video"] == "drive.mp4"
    assert labels.annotations[-1].drawn.attributes["occluded"] is True
    assert labels.problems == []


def test_rotation_takes_the_shorter_way_and_points_are_interpolated_one_by_one(tmp_path):
    ends = box(0, 0, 'rotation="350"') + box(2, 0, 'rotation="10"')
    turned = f'<track id="0" label="car">{ends}'
    turned += box(3, 0, 'outside="1"') + "</track>"
    lines = """<track id="1" label="lane"><polyline frame="0" points="0,0;4,4"></polyline>
    <polyline frame="2" points="2,0;6,8"></polyline>
    <polyline frame="3" outside="1" points="0,0;1,1"></polyline></track>"""
    labels = video(tmp_path, turned + lines)
    middle = [r.drawn for r in labels.annotations if r.image == "frame_000001.PNG"]
    assert middle[0].kind is Kind.BOX
    assert middle[1].rings_px == ((1, 0, 5, 6),)


def test_frames_that_cannot_be_derived_are_a_problem(tmp_path):
    track = """<track id="0" label="car"><polygon frame="0" points="0,0;4,4;0,4"></polygon>
    <polygon frame="3" points="0,0;4,0;4,4;0,4"></polygon><polygon frame="4" outside="1" points="0,0;1,1;2,2"></polygon>
    </track>"""
    labels = video(tmp_path, track)
    assert len(labels.annotations) == 2
    assert "frames 1 to 2 cannot be derived" in labels.problems[0].reason


def test_frames_without_images_are_a_problem(tmp_path):
    labels = video(tmp_path, f'<track id="0" label="car">{box(0, 0)}{box(3, 0)}</track>', n_frames=2)
    assert len(labels.images) == 10
    assert labels.problems[0].reason == "8 labelled frames of 'drive.mp4' are not there as images"


def test_a_step_of_frames_counts_the_images(tmp_path):
    task = "<start_frame>10</start_frame><stop_frame>16</stop_frame><frame_filter>step=3</frame_filter>"
    track = f'<track id="0" label="car">{box(10, 0)}{box(16, 6)}</track>'
    labels = video(tmp_path, track, task=task, n_frames=3)
    assert [(i.metadata["frame"], i.name) for i in labels.images] == [
        (10, "frame_000000.PNG"),
        (13, "frame_000001.PNG"),
        (16, "frame_000002.PNG"),
    ]
    assert lefts(labels) == [0, 3, 6]


def points(name: str, x: int, *, frame: int | None = None, more: str = "") -> str:
    start = f'frame="{frame}"' if frame is not None else f'label="{name}"'
    return f'<points {start} keyframe="1" points="{x},5" {more}></points>'


def keypoints(labels: ReadLabels) -> dict[str, tuple[float, ...]]:
    return {str(read.image)[-7:-4]: tuple(read.drawn.keypoints_xyv) for read in labels.annotations}


ENDED = '<box frame="1" outside="1" xtl="9" ytl="0" xbr="19" ybr="10"></box>'
SKELETON = META.replace("<meta><task>", "").replace("</task></meta>", "")


def test_the_points_of_a_skeleton_may_be_tracks_of_their_own(tmp_path):
    """As CVAT 2.2 wrote them; each point has its own keyframes. Source: `dump_track` of CVAT's cvat.py, 2.2."""
    skeletons = "".join(f'<skeleton frame="{at}" keyframe="1" points="1,5;9,5"></skeleton>' for at in (0, 2))
    head = points("", 0, frame=0) + points("", 4, frame=2)
    foot = points("", 9, frame=0, more='occluded="1"') + points("", 9, frame=2, more='outside="1"')
    inner = f'<track id="0" label="head">{head}</track><track id="1" label="foot">{foot}</track>'
    track = f'<track id="3" label="person" source="manual">{skeletons}{inner}</track>'
    labels = video(tmp_path, track, task=f"<size>4</size>{SKELETON}", n_frames=4)
    assert labels.problems == []
    assert keypoints(labels) == {
        "000": (0, 5, 2, 9, 5, 1),
        "001": (2, 5, 2, 9, 5, 1),
        "002": (4, 5, 2, 0, 0, 0),
        "003": (4, 5, 2, 0, 0, 0),
    }


def test_a_skeleton_ends_where_all_its_points_are_outside(tmp_path):
    """A `skeleton` has no `outside` of its own. Source: `dump_as_cvat_interpolation` of CVAT's cvat.py."""
    shown = points("head", 1, more='outside="0"') + points("foot", 9, more='outside="0"')
    gone = points("head", 1, more='outside="1"') + points("foot", 9, more='outside="1"')
    track = f"""<track id="0" label="person"><skeleton frame="0" keyframe="1">{shown}</skeleton>
    <skeleton frame="2" keyframe="1">{gone}</skeleton></track>"""
    labels = video(tmp_path, track, task="<size>4</size>", n_frames=4)
    assert labels.problems == []
    assert keypoints(labels) == {"000": (1, 5, 2, 9, 5, 2), "001": (1, 5, 2, 9, 5, 2)}
    (person,) = labels.classes
    assert person.keypoints == ("head", "foot")


def project(folder: Path, subsets: tuple[str, str]) -> ReadLabels:
    """Two videos of two frames in one project, a track of one shape in each."""
    parts = zip((4, 5), subsets, strict=True)
    tasks = "".join(
        f"<task><id>{number}</id><size>2</size><subset>{subset}</subset><start_frame>0</start_frame>"
        f"<stop_frame>1</stop_frame><source>{number}.mp4</source></task>"
        for number, subset in parts
    )
    tracks = "".join(
        f'<track id="0" label="car" task_id="{number}">{box(0, number)}{ENDED}</track>' for number in (4, 5)
    )
    for subset in dict.fromkeys(subsets):
        (folder / "images" / subset).mkdir(parents=True)
        for at in range(2):
            Image.new("L", (40, 30)).save(folder / f"images/{subset}/frame_{at:06d}.PNG")
    meta = f"<meta><project><id>1</id><tasks>{tasks}</tasks></project></meta>"
    (folder / "annotations.xml").write_text(f"<annotations>{meta}{tracks}</annotations>")
    return read_labels(CVAT, folder)


def test_the_tracks_of_a_project_go_to_the_frames_of_their_task(tmp_path):
    labels = project(tmp_path, ("Train", "Val"))
    assert labels.problems == []
    assert [(read.image, lefts(labels)[at]) for at, read in enumerate(labels.annotations)] == [
        ("Train/frame_000000.PNG", 4),
        ("Val/frame_000000.PNG", 5),
    ]
    assert [image.metadata["video"] for image in labels.images] == ["4.mp4", "5.mp4"]


def test_videos_of_one_folder_are_not_mixed_up(tmp_path):
    labels = project(tmp_path, ("Train", "Train"))
    assert labels.annotations == []
    assert len(labels.problems) == 2
    assert "several videos" in labels.problems[0].reason


@pytest.mark.parametrize("frame", ["-1", "x", "9" * 30, "1.5"])
def test_a_bad_frame_costs_its_shape_only(tmp_path, frame):
    bad = f'<box frame="{frame}" xtl="1" ytl="0" xbr="3" ybr="3"></box>'
    labels = video(tmp_path, f'<track id="0" label="car">{bad}{box(9, 0)}</track>')
    assert len(labels.annotations) == 1
    assert len(labels.problems) == 1


def test_entities_and_other_xml_are_refused(tmp_path):
    file = tmp_path / "a.xml"
    for text in (
        '<!DOCTYPE a [<!ENTITY b "c">]><annotations><meta>&b;</meta></annotations>',
        "<annotation/>",
        "<",
    ):
        file.write_text(text)
        with pytest.raises(LabelFileUnreadable):
            read_labels(CVAT, file)


def test_what_is_written_reads_by_the_rule_of_the_format(tmp_path):
    inside = np.zeros((30, 40), bool)
    inside[3:5, 4:7] = True
    labels = [
        annotation(shapes.box(1.25, 2, 10, 11), attributes={"occluded": True, "colour": "a<b>\n&"}),
        annotation(shapes.mask(inside, (0, 0), (40, 30)), at=1),
    ]
    written = write(CVAT, tmp_path, [(sample("sub/a.png", split="val"), labels)])
    assert (written.n_annotations, losses(written)) == (2, {})
    (image,) = ElementTree.parse(tmp_path / "annotations.xml").getroot().findall("image")
    assert (image.get("name"), image.get("subset"), image.get("width")) == ("sub/a.png", "val", "40")
    found = image.find("box")
    assert found is not None and found.get("occluded") == "1"
    assert [float(found.get(side, "")) for side in ("xtl", "ytl", "xbr", "ybr")] == [1.25, 2, 11.25, 13]
    assert found.findtext("attribute") == "a<b>\n&"
    mask = image.find("mask")
    assert mask is not None
    assert [mask.get(key) for key in ("rle", "left", "top", "width", "height")] == [
        "0, 6",
        "4",
        "3",
        "3",
        "2",
    ]


def test_what_it_cannot_hold_is_counted(tmp_path):
    parts = shapes.polygon([[(1, 1), (5, 1), (5, 5)], [(11, 11), (15, 11), (15, 15)]])
    labels = [
        annotation(parts, score=0.5, source_id="9"),
        annotation(shapes.box(1, 1, 2, 2), at=1, attributes={"a": [1], "bad\x01": "x\x02"}),
    ]
    written = write(CVAT, tmp_path, [(sample("a.png", tags=("night",)), labels)])
    assert losses(written) == {
        "outline of a polygon of several parts (written as a mask)": 1,
        "score of an annotation": 1,
        "id of an annotation": 1,
        "list or object as value of an attribute (written as text)": 1,
        "control character in a text (XML has none)": 3,
        "tags of a sample": 1,
    }
    assert len(read_labels(CVAT, tmp_path).annotations) == 2


def test_a_label_that_the_task_does_not_list_costs_its_shape_only(tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    labels = "<meta><task><labels><label><name>cat</name></label></labels></task></meta>"
    boxes = "".join(f'<box label="{name}" xtl="1" ytl="2" xbr="9" ybr="8"/>' for name in ("cat", "bird"))
    image = f'<image id="0" name="a.png" width="64" height="48">{boxes}</image>'
    (tmp_path / "annotations.xml").write_text(
        f"<annotations><version>1.1</version>{labels}{image}</annotations>"
    )
    read = read_labels(registry.reader("cvat"), tmp_path)
    assert [annotation.class_name for annotation in read.annotations] == ["cat"]
    (problem,) = read.problems
    assert "'bird' is not among" in problem.reason

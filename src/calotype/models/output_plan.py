"""What the outputs of a model hold: from their shapes and names, the metadata of the model and its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from calotype.foundation import yaml_text
from calotype.foundation.errors import Invalid
from calotype.models.description import MAX_CLASSES, Activation, BoxFormat, Described, Output, Style
from calotype.models.model import ModelDescriptionInvalid
from calotype.models.sessions import OnnxSession, Port, Shape

_MANY_BOXES = 1_000
"""More rows than a model lists after its own suppression."""
_ROLE_WORDS = {
    "boxes": ("box",),
    "scores": ("score", "conf", "prob"),
    "classes": ("class", "label"),
    "count": ("num", "count"),
}
_HOW = (
    "write `output: {style: ...}`: yolo-v8 (4 + classes, boxes), yolo-v5 (boxes, 5 + classes), end-to-end (k, 6), "
    "ssd (boxes and scores apart) or classes"
)
BACKGROUND = "__background__"
"""A class that stands for nothing, as torchvision names it."""
_TASKS = {"detect": "detection", "segment": "detection", "pose": "detection", "classify": "classification"}


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """How the outputs are read.

    Attributes:
        roles: Role (`boxes`, `scores`, `classes`, `count`; `all` for a single output) -> name of the output.
        n_classes: Columns of scores; None where classes come as numbers.
        by_class: For the style "ssd": whether the scores have a column for each class.
        normalised: Whether boxes are shares of the input; None to judge by their values.
        activation: None to judge by the values.
        background: Column of the scores that means "nothing".
    """

    style: Style
    roles: Mapping[str, str]
    names: Mapping[int, str]
    n_classes: int | None
    by_class: bool
    box_format: BoxFormat
    normalised: bool | None
    activation: Activation | None
    background: int | None


def output_plan(
    session: OnnxSession, shapes: Sequence[Shape], described: Described, *, batched: bool
) -> OutputPlan:
    """The plan for outputs of these shapes, as a run gave them. Raises: ModelDescriptionInvalid."""
    given = described.description.output
    ports = [
        Port(port.name, shape if batched else (1, *shape), port.type)
        for port, shape in zip(session.outputs, shapes, strict=True)
    ]
    reader = _Reader(session, ports, described)
    style = reader.style()
    roles = reader.ssd_roles() if style == "ssd" else {"all": reader.single()}
    by_port = {port.name: port for port in ports}
    by_class = style == "ssd" and "classes" not in roles
    background = reader.background(by_port[roles["scores"]]) if by_class else None
    n_classes = reader.n_classes(style, by_port, roles, background)
    names = reader.names(n_classes)
    usual: BoxFormat = "cxcywh" if style.startswith("yolo") else "xyxy"
    if style == "ssd" and roles["boxes"].startswith("detection_boxes"):  # TensorFlow's detectors
        usual = "yxyx"
    normalised = given.normalised if given.normalised is not None or style == "ssd" else False
    activation = given.activation or (None if style == "classes" else "none")
    return OutputPlan(
        style,
        roles,
        names,
        n_classes,
        by_class,
        given.box_format or usual,
        normalised,
        activation,
        background,
    )


def metadata_names(session: OnnxSession) -> dict[int, str] | None:
    """The classes that an exporter wrote into the model, `{0: 'person', 1: 'car'}`; None without or if unreadable."""
    text = session.metadata.get("names", "")
    if not 2 <= len(text) <= 1_000_000:
        return None
    try:
        if yaml_text.compose(text, "names", _unreadable, word="list of names") is None:
            return None
        value = yaml_text.load(text, "names", _unreadable)
    except ModelDescriptionInvalid:
        return None
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_CLASSES:
        return None
    whole = all(type(number) is int and 0 <= number < 2**31 for number in value)
    return (
        {number: str(name)[:500] or str(number) for number, name in sorted(value.items())} if whole else None
    )


def _unreadable(where: str, detail: str, hint: str) -> Invalid:
    return ModelDescriptionInvalid(where=where, detail=detail, hint=hint)


class _Reader:
    """Reads the outputs; every problem names a key, what the model has, and what to write."""

    def __init__(self, session: OnnxSession, ports: list[Port], described: Described) -> None:
        self.session, self.ports, self.described = session, ports, described
        self.given = described.description.output
        self.known = described.names or metadata_names(session)
        self.listed = ", ".join(map(str, ports))[:400]

    def problem(self, key: str, detail: str, hint: str) -> ModelDescriptionInvalid:
        return self.described.problem(key, detail, hint)

    def style(self) -> Style:
        task = self.described.description.task
        stated = self.session.metadata.get("task", "")
        if stated == "obb" and self.given.style is None:
            raise self.problem("task", "the model gives rotated boxes, which are not read", "use a detector")
        n_names = None if self.known is None else len(self.known)
        style = self.given.style or self._guess(n_names) or self._guess(None)
        if style == "end-to-end" and n_names == 1 and self.given.style is None and not self._suppresses():
            style = None  # objectness and one class have six columns too
        if style is None:
            raise self.problem("output.style", f"the model has the outputs {self.listed}", _HOW)
        is_classifier = style == "classes"
        if task is not None and (task == "classification") != is_classifier:
            says = "classification" if is_classifier else "detection"
            detail = f"the outputs are {self.listed}, which look like {says}"
            raise self.problem("task", detail, f"write `task: {says}`, or say `output.style`")
        if (
            stated in _TASKS
            and (_TASKS[stated] == "classification") != is_classifier
            and not self.given.style
        ):
            raise self.problem("output.style", f"the model is for {stated!r} and has {self.listed}", _HOW)
        return style

    def _suppresses(self) -> bool:
        """Whether the exporter says that suppression is part of the model."""
        metadata = self.session.metadata
        return (
            metadata.get("end2end", "").lower() == "true"
            or "'nms': True" in metadata.get("args", "")[:10_000]
        )

    def _has_masks(self) -> bool:
        """Whether a second output has prototypes of masks, (n, masks, height, width)."""
        shapes = [port.shape for port in self.ports]
        return len(shapes) == 2 and len(shapes[0]) == 3 and len(shapes[1]) == 4

    def _guess(self, n_names: int | None) -> Style | None:
        """The style by shapes; None where none or several fit."""
        shapes = [port.shape for port in self.ports]
        first = shapes[0]
        if len(shapes) > 1 and not self._has_masks():
            return "ssd" if any(shape and shape[-1] == 4 for shape in shapes) else None
        if len(first) == 2 or (len(first) == 4 and first[2:] == (1, 1)):
            return "classes"
        if len(first) != 3:
            return None
        extra = (shapes[1][1] or 0) if self._has_masks() else 0
        return _yolo_style(int(first[1] or 0), int(first[2] or 0), n_names, extra)

    def single(self) -> str:
        wanted = self.given.scores if self.given.boxes is None else self.given.boxes
        return self._port(wanted, "output.boxes").name if wanted is not None else self.ports[0].name

    def ssd_roles(self) -> dict[str, str]:
        boxes = self._role("boxes", [port for port in self.ports if port.shape and port.shape[-1] == 4])
        if boxes is None:
            hint = "write the name of the output of boxes, which has 4 numbers a row"
            raise self.problem("output.boxes", f"the model has the outputs {self.listed}", hint)
        rest = [port for port in self.ports if port.name != boxes.name]
        rows = boxes.shape[1]
        per_box = [port for port in rest if len(port.shape) == 2 and port.shape[1] == rows]
        whole = [port for port in per_box if "int" in port.type]
        classes = self._role("classes", whole or [port for port in per_box if _says(port.name, "classes")])
        plain = [port for port in per_box if classes is None or port.name != classes.name]
        columns = [port for port in rest if len(port.shape) == 3 and port.shape[1] == rows]
        scores = self._role("scores", plain if classes is not None else columns)
        if scores is None:
            hint = "write `output: {boxes: NAME, scores: NAME}`, and `classes: NAME` where scores have no columns"
            raise self.problem("output.scores", f"the model has the outputs {self.listed}", hint)
        roles = {"boxes": boxes.name, "scores": scores.name}
        if classes is not None:
            roles["classes"] = classes.name
            count = self._role(
                "count", [port for port in rest if len(port.shape) == 1 and _says(port.name, "count")]
            )
            if count is not None:
                roles["count"] = count.name
        return roles

    def _role(self, role: str, fitting: list[Port]) -> Port | None:
        wanted: Output = getattr(self.given, role)
        if wanted is not None:
            return self._port(wanted, f"output.{role}")
        named = [port for port in fitting if _says(port.name, role)] or fitting
        return min(named, key=lambda port: ("raw" in port.name, len(port.name)), default=None)

    def _port(self, wanted: int | str, key: str) -> Port:
        for at, port in enumerate(self.ports):
            if wanted in (at, port.name):
                return port
        names = [port.name for port in self.ports]
        near = get_close_matches(str(wanted), names, n=1, cutoff=0.5) or names[:1]
        detail = f"the model has no output {wanted!r}; it has {self.listed}"
        raise self.problem(key, detail, f"write `{key.partition('.')[2]}: {near[0]}`, or the place from 0")

    def background(self, scores: Port) -> int | None:
        n_columns = int(scores.shape[-1] or 0)
        stated = self.given.background
        if stated == "none":
            return None
        if stated is not None:
            if stated >= n_columns:
                detail = f"the scores {scores} have the columns 0 to {n_columns - 1}"
                raise self.problem("output.background", detail, "write the column, or `none`")
            return stated
        return 0 if self.known is not None and len(self.known) + 1 == n_columns else None

    def names(self, n_classes: int | None) -> dict[int, str]:
        """Number -> name of each class. Raises: ModelDescriptionInvalid, if they do not fit the outputs."""
        if self.known is None:
            n = f"{n_classes} classes" if n_classes is not None else "classes by number"
            detail = f"the model has {n} and does not name them; its outputs are {self.listed}"
            hint = "write `classes: [NAME, ...]`, a map of numbers to names, or a file with one name on each line"
            raise self.problem("classes", detail, hint)
        some = isinstance(self.described.description.classes, dict)
        n_names = len(self.known)
        if n_classes is not None and (max(self.known) >= n_classes or (n_names != n_classes and not some)):
            detail = f"{n_names} names are given (numbers up to {max(self.known)}), the model has {n_classes} classes"
            hint = f"give {n_classes} names, in the order of training; the outputs are {self.listed}"
            raise self.problem("classes", detail, hint)
        return dict(self.known)

    def n_classes(
        self, style: Style, by_port: Mapping[str, Port], roles: Mapping[str, str], background: int | None
    ) -> int | None:
        if style == "ssd":
            columns = by_port[roles["scores"]].shape[-1]
            return None if "classes" in roles else int(columns or 0) - (background is not None)
        shape = by_port[roles["all"]].shape
        wanted = {"yolo-v8": 3, "yolo-v5": 3, "end-to-end": 3}.get(style)
        if wanted is not None and len(shape) != wanted:
            raise self.problem("output.style", f"{style} has 3 axes, and the model has {self.listed}", _HOW)
        if style == "end-to-end":
            if shape[2] != 6 + (int(self.ports[1].shape[1] or 0) if self._has_masks() else 0):
                detail = f"end-to-end has 6 columns, and the model has {self.listed}"
                raise self.problem("output.style", detail, _HOW)
            return None
        if style == "classes":
            return int(shape[1] or 0) if len(shape) > 1 else 0
        n = int(shape[1] or 0) - 4 if style == "yolo-v8" else int(shape[2] or 0) - 5
        if n < 1:
            raise self.problem("output.style", f"the shape of {style} is not that of {self.listed}", _HOW)
        masks = int(self.ports[1].shape[1] or 0) if self._has_masks() else 0
        return n - masks if n > masks else n


def _says(name: str, role: str) -> bool:
    return any(word in name.lower() for word in _ROLE_WORDS[role])


def _yolo_style(rows: int, columns: int, n_names: int | None, extra: int) -> Style | None:
    fits: list[Style] = []
    if n_names is None:
        if 4 < rows < columns:
            fits = ["yolo-v8"]
        elif columns >= 6 and rows > _MANY_BOXES:
            fits = ["yolo-v5"]
        elif columns == 6:
            fits = ["end-to-end"]
        return fits[0] if fits else None
    if rows == 4 + n_names + extra:
        fits.append("yolo-v8")
    if columns == 5 + n_names + extra and (n_names != 1 or rows > _MANY_BOXES):
        fits.append("yolo-v5")
    if columns == 6 + extra and rows <= _MANY_BOXES and n_names != 1:
        fits.append("end-to-end")
    return fits[0] if len(fits) == 1 else None

"""Which colour or number of a mask is which class, from the list of names beside the masks.

Read are `labelmap.txt` as CVAT writes it (`name:r,g,b:parts:actions`), `objectInfo150.txt` of ADE20K, and `classes`,
`codes`, `class_names` or `class_dict` as .txt (a name a line, counted from 0), .csv (`name,r,g,b`) or .json
(`{"name": [r, g, b]}`, `{"0": "name"}`, or a list of either).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from calotype.folder_reading.folder import Reading, lines_of
from calotype.formats.passthrough import class_name_problem, shown
from calotype.public_formats.numbers import whole

Colour = tuple[int, int, int]
LABELMAP = "labelmap.txt"
HEAD = "# label:color_rgb"
"""How CVAT begins the list."""
NAMES = (
    LABELMAP,
    "label_map.txt",
    "class_dict.csv",
    "classes.json",
    "classes.csv",
    "classes.txt",
    "label_colors.txt",
    "class_names.txt",
    "codes.txt",
    "objectinfo150.txt",
)
NOTHING = frozenset({"background", "_background_", "__background__", "bg"})
"""Names of what is not labelled, in lower case."""
VOID = frozenset({"void", "ignore", "__ignore__", "unlabeled", "unlabelled"})
MAX_CLASSES = 65_536
_MAX_BYTES = 10_000_000
_BETWEEN = re.compile(r"[,;\s]+")


@dataclass
class ColourMap:
    """Names by colour and by number; `file` is where they come from, empty where nothing says it."""

    file: str = ""
    by_colour: dict[Colour, str] = field(default_factory=dict)
    by_number: dict[int, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The classes in their order, without those that stand for nothing."""
        listed = dict.fromkeys([*self.by_number.values(), *self.by_colour.values()])
        return [name for name in listed if not is_nothing(name)]


def is_nothing(name: str) -> bool:
    """Whether a class stands for pixels without a label."""
    return name.lower() in NOTHING or name.lower() in VOID


def find(reading: Reading) -> ColourMap:
    """The list nearest to the root; a line that is broken is a problem of kind "class"."""
    wanted = {name: at for at, name in enumerate(NAMES)}
    last = {name: name.rpartition("/")[2].lower() for name in reading.files.names}
    found = [name for name in reading.files.names if last[name] in wanted]
    if not found:
        return ColourMap()
    file = min(found, key=lambda name: (name.count("/"), wanted[last[name]]))
    text = reading.text(file, max_bytes=_MAX_BYTES)
    colours = ColourMap(file)
    if text is None:
        return colours
    if file.endswith(".json"):
        _read_json(reading, colours, text)
    elif last[file] == LABELMAP:
        _read_labelmap(reading, colours, text)
    else:
        _read_lines(reading, colours, text)
    return colours


def _add(reading: Reading, colours: ColourMap, name: Any, key: Colour | int | None, where: str) -> None:
    problem = "its name is not a text" if not isinstance(name, str) else class_name_problem(name)
    if problem or key is None:
        reading.set_aside("class", where, problem or "it has neither a colour nor a number", item=shown(name))
    elif len(colours.by_number) + len(colours.by_colour) >= MAX_CLASSES:
        reading.set_aside("class", where, f"there are more than {MAX_CLASSES:,} classes")
    elif isinstance(key, int):
        colours.by_number.setdefault(key, name)
    elif key in colours.by_colour:
        other = colours.by_colour[key]
        reading.set_aside("class", where, f"it has the colour of {shown(other)}")
    else:
        colours.by_colour[key] = name


def _read_labelmap(reading: Reading, colours: ColourMap, text: str) -> None:
    at = 0
    for number, line in lines_of(text):
        if line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        colour = _colour(_BETWEEN.split(rest.partition(":")[0].strip()))
        where = f"{colours.file}:{number}"
        _add(reading, colours, name.strip(), colour, where)
        colours.by_number.setdefault(at, name.strip())
        at += 1


def _read_lines(reading: Reading, colours: ColourMap, text: str) -> None:
    """Lines of a name, of a name and a colour, or of a colour and a name; a first line without numbers is the head."""
    at = 0
    is_table = colours.file.endswith(".csv")
    if text.startswith("Idx\t"):  # ADE20K: the number first, the names of the class last
        for number, line in lines_of(text)[1:]:
            cells = line.split("\t")
            _add(reading, colours, cells[-1].split(",")[0], whole(cells[0]), f"{colours.file}:{number}")
        return
    for number, line in lines_of(text):
        if line.startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line]), [])] if is_table else _BETWEEN.split(line)
        where = f"{colours.file}:{number}"
        front, back = _colour(cells[:3]), _colour(cells[-3:])
        if len(cells) >= 4 and (front or back):
            words = cells[3:] if front and not back else cells[:-3]
            _add(reading, colours, " ".join(words), back or front, where)
        elif is_table and len(cells) >= 2 and not any(whole(cell) is not None for cell in cells):
            continue  # the head
        elif is_table and len(cells) == 2:
            index = next((whole(cell) for cell in cells if whole(cell) is not None), None)
            _add(reading, colours, next((c for c in cells if whole(c) is None), ""), index, where)
        else:
            _add(reading, colours, line, at, where)
        at += 1


def _read_json(reading: Reading, colours: ColourMap, text: str) -> None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        reading.set_aside("class", colours.file, f"it is not JSON: {str(error)[:100]}", kind="unreadable")
        return
    if isinstance(value, dict) and isinstance(value.get("classes"), list | dict):
        value = value["classes"]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        where = f"{colours.file} {shown(key)}"
        if isinstance(one, Mapping):
            own = one.get("color", one.get("colour", one.get("id", one.get("value"))))
            name = one.get("name", one.get("label", key))
            _add(reading, colours, name, _json_key(own, key if isinstance(key, int) else None), where)
        elif isinstance(one, str) and not one.startswith("#"):
            _add(reading, colours, one, key if isinstance(key, int) else whole(key), where)
        else:
            _add(reading, colours, key, _json_key(one, None), where)


def _json_key(value: Any, otherwise: int | None) -> Colour | int | None:
    if isinstance(value, list):
        return _colour([str(part) for part in value])
    if type(value) is int and 0 <= value < MAX_CLASSES:
        return value
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
    return otherwise


def _colour(cells: list[str]) -> Colour | None:
    """The colour of three texts; None where they are none."""
    values = [whole(cell) for cell in cells]
    usable = [value for value in values if value is not None and 0 <= value <= 255]
    return (usable[0], usable[1], usable[2]) if len(usable) == len(cells) == 3 else None


def colour_of(number: int) -> Colour:
    """A colour for each number from 0 (black) on, all different below 2**24. Source: the colour map of Pascal VOC.

    Three bits of the number at a time go to red, green and blue, the highest bit of each first.
    """
    red = green = blue = 0
    for place in range(8):
        red |= (number & 1) << (7 - place)
        green |= (number >> 1 & 1) << (7 - place)
        blue |= (number >> 2 & 1) << (7 - place)
        number >>= 3
    return red, green, blue

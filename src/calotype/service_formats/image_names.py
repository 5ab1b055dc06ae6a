"""Which image a file name in a label file means."""

from __future__ import annotations

from collections.abc import Sequence

from calotype.folder_reading.folder import Reading, stem_of
from calotype.formats.fields import BadItem
from calotype.formats.passthrough import image_name_problem
from calotype.formats.stated_names import name_problem, relative_name


def add_stated(reading: Reading, stated: str, where: str, folders: Sequence[str]) -> str:
    """List the image of a stated name and return its key; one that is not there is listed as missing.

    Args:
        folders: Where it is looked for first, relative to the root, the likeliest first.
    Raises: BadItem, where the name cannot be used, or could mean two images.
    """
    problem = image_name_problem(stated) or name_problem(stated)
    if problem:
        raise BadItem(problem)
    if "\\" in stated:
        reading.notices.add("name-separator", where)
    name = relative_name(stated)
    places = [f"{folder}/{name}" if folder else name for folder in (*folders, "")]
    found = next((place for place in places if reading.image_files.has(place)), None)
    if found is None:
        same = reading.image_files.called(name.rpartition("/")[2])
        if len(same) > 1:
            raise BadItem(f"its image could be {' or '.join(same[:3])}")
        found = same[0] if same else None
    if found is None:
        found = reading.image_of([stem_of(place) for place in places], where)
        if found is None and reading.is_ambiguous(where):
            reading.problems.pop()
            raise BadItem("its image has the name of two files that differ in their ending")
        if found is not None:
            reading.notices.add("name-form", where)
    return reading.add_image(found, places[0], where)

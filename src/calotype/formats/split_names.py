"""The names that people give to splits: `train`, `training`, `valid`, `validation`, `val`, `test`, `train2017`."""

from __future__ import annotations

import re

_SPLIT = re.compile(r"(train|val|test)(?:ing|id|idation)?(?:[-_]?(?:19|20)\d\d)?", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[^0-9A-Za-z]+")


def split_of_folder(name: str) -> str:
    """The split that the name of a folder stands for; empty where it is another name."""
    match = _SPLIT.fullmatch(name)
    return match[1].lower() if match else ""


def split_of_stem(stem: str) -> str:
    """The one split that the words of a file's name stand for; empty where there is none, or more than one."""
    splits = {split_of_folder(word) for word in _BETWEEN_WORDS.split(stem)} - {""}
    return splits.pop() if len(splits) == 1 else ""

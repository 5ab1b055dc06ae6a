"""The file of a guideline: Markdown, with a head in YAML that may say changelog, touches and examples. Pure."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from calotype.foundation import yaml_text
from calotype.guidelines.model import (
    MAX_CHANGELOG,
    MAX_EXAMPLES,
    MAX_TEXT,
    MAX_TOUCHES,
    GuidelineInvalid,
    GuidelineText,
)

MAX_LINES = 5_000
_FENCE = "---"
_HEAD, _EXAMPLE = ("changelog", "touches", "examples"), ("sample", "bbox", "caption", "verdict")
_VERDICTS = ("good", "bad")


def parse(
    text: str, *, changelog: str = "", touches: Sequence[str] = (), file: str = "guideline"
) -> GuidelineText:
    """A guideline from the text of its file. A changelog or touches given beside it replace those of its head.

    Raises: GuidelineInvalid, which names the line.
    """
    head, body = _parts(text, file)
    if not body.strip():
        raise _error(file, "it has no text", "write what annotators should do, in Markdown")
    if len(body) > MAX_TEXT or body.count("\n") > MAX_LINES:
        detail = f"it is longer than {MAX_TEXT:,} characters or {MAX_LINES:,} lines"
        raise _error(file, detail, "leave out what annotators need not know")
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in body):
        raise _error(file, "it has control characters", "save it as plain text")
    values = _head(head, file)
    line = changelog or str(values.get("changelog") or "")
    if len(line) > MAX_CHANGELOG or not line.isprintable():
        detail = f"its changelog is not one line of at most {MAX_CHANGELOG:,} characters"
        raise _error(file, detail, "say in a line what changed")
    names = list(touches) or _touches(values.get("touches"), file)
    if len(names) > MAX_TOUCHES or not all(1 <= len(name) <= 1_000 for name in names):
        raise _error(file, f"it touches more than {MAX_TOUCHES:,} names, or an empty one", "name classes")
    return GuidelineText(body, line.strip(), tuple(dict.fromkeys(names)), _examples(values, file))


def split_names(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def diff_lines(before: str, after: str, names: tuple[str, str]) -> tuple[str, ...]:
    """A unified diff of two texts."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="", n=2)
    return tuple(lines)


def _parts(text: str, file: str) -> tuple[str, str]:
    """The head and the Markdown below it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.startswith(f"{_FENCE}\n"):
        return "", text
    head, fence, body = text[len(_FENCE) + 1 :].partition(f"\n{_FENCE}\n")
    if not fence:
        raise _error(f"{file} line 1", "its head in YAML does not end", "close it with a line ---")
    return head, body.lstrip("\n")


def _head(text: str, file: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    node = yaml_text.compose(text, file, _error, word="head of a guideline")
    if not isinstance(node, yaml.MappingNode):
        raise _error(f"{file} line 2", "its head is not a mapping", f"it may have {', '.join(_HEAD)}")
    yaml_text.check_keys(node, file, _error)
    values: dict[str, Any] = yaml_text.load(text, file, _error)
    unknown = sorted(set(map(str, values)) - set(_HEAD))
    if unknown:
        raise _error(file, f"its head has no field {unknown[0]!r}", f"it may have {', '.join(_HEAD)}")
    if not isinstance(values.get("changelog"), str | None):
        raise _error(file, "its changelog is not a text", "put it in quotes")
    return values


def _touches(value: Any, file: str) -> list[str]:
    if value is None:
        return []
    names = split_names(value) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _error(file, "what it touches is not a list of names", "write touches: [car, person.occluded]")
    return names


def _examples(values: Mapping[str, Any], file: str) -> tuple[Mapping[str, Any], ...]:
    given = values.get("examples") or []
    hint = "each example has sample (a name or an id), caption, verdict (good or bad), and perhaps bbox"
    if not isinstance(given, list) or len(given) > MAX_EXAMPLES:
        raise _error(file, f"its examples are not a list of at most {MAX_EXAMPLES}", hint)
    for at, example in enumerate(given, 1):
        where = f"{file}, example {at}"
        if not isinstance(example, dict) or not set(example) <= set(_EXAMPLE):
            raise _error(where, "it is not a mapping of these fields", hint)
        texts = [example.get("sample"), example.get("caption", "")]
        if not all(isinstance(text, str) and len(text) <= 4_096 for text in texts) or not texts[0]:
            raise _error(where, "its sample or caption is not a text", hint)
        if example.get("verdict", "good") not in _VERDICTS:
            raise _error(where, "its verdict is not good or bad", hint)
        if not _is_box(example.get("bbox")):
            raise _error(where, "its bbox is not [x, y, width, height] in pixels", hint)
    return tuple(given)


def _is_box(value: Any) -> bool:
    if value is None:
        return True
    numbers = value if isinstance(value, list) and len(value) == 4 else []
    are_numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    return bool(numbers) and are_numbers and all(map(math.isfinite, numbers)) and min(numbers[2:]) > 0


def _error(where: str, detail: str, hint: str) -> GuidelineInvalid:
    return GuidelineInvalid(where=where, detail=detail, hint=hint)

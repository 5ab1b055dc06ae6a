"""YAML of users, read within limits: no aliases, no towers, no key twice; troubles told by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import yaml

from calotype.foundation.errors import Invalid

MAX_DEPTH = 20
MAX_NODES = 50_000


class Refuse(Protocol):
    """Makes the error of whoever reads: place, trouble, way out."""

    def __call__(self, where: str, detail: str, hint: str) -> Invalid: ...


def composed(text: str, file: str, refuse: Refuse, *, word: str) -> yaml.Node | None:
    """The tree with its line numbers, after the limits were checked on the stream of events.

    `word` is what the text should be, such as "contract". Raises: what `refuse` makes.
    """
    depth = n_nodes = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = line_of_mark(event.start_mark)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                hint = f"write the value out; {word}s have no & and *"
                raise refuse(f"{file} line {line}", "it uses an alias or an anchor", hint)
            n_nodes += isinstance(event, yaml.NodeEvent)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH or n_nodes > MAX_NODES:
                detail = f"it is nested deeper than {MAX_DEPTH} levels or has more than {MAX_NODES:,} values"
                raise refuse(f"{file} line {line}", detail, f"a {word} is a page or two of YAML")
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        hint = "check indentation, colons and quotes near that line"
        raise refuse(place(file, error), f"it is no YAML: {short(error)}", hint) from None


def check_keys(node: yaml.Node, file: str, refuse: Refuse) -> None:
    """Keys are plain words, each written once. Raises: what `refuse` makes."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            line = f"{file} line {line_of_mark(key.start_mark)}"
            if not isinstance(key, yaml.ScalarNode):
                raise refuse(line, "a key is not a plain word", "use words as keys")
            if name in seen:
                raise refuse(line, f"the key {name!r} is written twice", "keep one of the two")
            seen.add(name)
            check_keys(value, file, refuse)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            check_keys(value, file, refuse)


def line_of_mark(mark: Any) -> int:
    """The line of a mark, from 1."""
    return int(mark.line) + 1 if mark is not None else 1


def line_of_path(node: yaml.Node, path: Sequence[str | int]) -> int:
    """The line (from 1) of the value at a path of keys and indices, or of its deepest part that exists."""
    line = line_of_mark(node.start_mark)
    for part in path:
        if isinstance(node, yaml.MappingNode):
            entries = [(key, value) for key, value in node.value if key.value == str(part)]
            if not entries:
                break
            key, node = entries[0]
            line = line_of_mark(key.start_mark)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = line_of_mark(node.start_mark)
        else:
            break
    return line


def place(file: str, error: Exception) -> str:
    """The file, and the line where the reader tells it."""
    mark = getattr(error, "problem_mark", None)
    return f"{file} line {mark.line + 1}" if mark is not None else file


def short(error: Exception) -> str:
    """The first line of what the reader said."""
    return str(getattr(error, "problem", None) or error).splitlines()[0][:200]

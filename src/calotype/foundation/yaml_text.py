"""Untrusted YAML, parsed within limits: no aliases, no deep nesting, no repeated keys. Errors name the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import yaml

from calotype.foundation.errors import Invalid

MAX_DEPTH = 20
MAX_NODES = 50_000
_DIGITS = 300
_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset({"!", "str", "int", "float", "bool", "null", "map", "seq"})
_TAG_ERRORS = (
    yaml.YAMLError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What constructors of tags such as `!!bool` and `!!timestamp` raise for a value that does not fit."""


class ErrorFactory(Protocol):
    """Creates the caller's error from a location, the problem and a hint."""

    def __call__(self, where: str, detail: str, hint: str) -> Invalid: ...


def compose(text: str, file: str, make_error: ErrorFactory, *, word: str) -> yaml.Node | None:
    """Parse to a tree of nodes with line numbers, after checking the limits.

    Args:
        word: What the text is, such as "contract"; used in errors.
    Raises: What `make_error` creates.
    """
    depth = n_nodes = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = line_of_mark(event.start_mark)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                hint = f"write the value out; a {word} cannot use & and *"
                raise make_error(f"{file} line {line}", "it uses an alias or an anchor", hint)
            tag = getattr(event, "tag", None)
            if tag is not None and tag.removeprefix(_CORE) not in _PLAIN_TAGS:
                hint = f"write plain values; a {word} needs no tags"
                raise make_error(f"{file} line {line}", f"it uses the tag {tag[:60]!r}", hint)
            n_nodes += isinstance(event, yaml.NodeEvent)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH or n_nodes > MAX_NODES:
                detail = f"it is nested deeper than {MAX_DEPTH} levels or has more than {MAX_NODES:,} values"
                raise make_error(f"{file} line {line}", detail, f"a {word} is a page or two of YAML")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        hint = "check indentation, colons and quotes near that line"
        raise make_error(location(file, error), f"it is not valid YAML: {summary(error)}", hint) from None
    for scalar in _scalars(node):
        if len(scalar.value) > _DIGITS and scalar.tag == f"{_CORE}int":
            line = line_of_mark(scalar.start_mark)
            raise make_error(
                f"{file} line {line}", "it holds a number of too many digits", "write it as text"
            )
    return node


def _scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """All scalars of a tree, in the order of the text."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in reversed(node.value) for part in reversed(pair)]
        elif isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
        elif isinstance(node, yaml.ScalarNode):
            yield node


def load(text: str, file: str, make_error: ErrorFactory) -> Any:
    """The plain value of a YAML text that `compose` has accepted. Raises: What `make_error` creates."""
    try:
        return yaml.safe_load(text)
    except _TAG_ERRORS as error:  # an impossible date, an unknown tag, a tag on the wrong value
        hint = "write plain values, without tags; put dates and the like in quotes"
        line = _line_of_failure(text) if getattr(error, "problem_mark", None) is None else 0
        where = f"{file} line {line}" if line else location(file, error)
        raise make_error(where, summary(error), hint) from None


def _line_of_failure(text: str) -> int:
    """The line of the first value that cannot be constructed; 0 where each can."""
    for node in _scalars(yaml.compose(text, Loader=yaml.SafeLoader)):
        loader = yaml.SafeLoader("")
        try:
            loader.construct_object(node)
        except _TAG_ERRORS:
            return line_of_mark(node.start_mark)
        finally:
            loader.dispose()
    return 0


def check_keys(node: yaml.Node, file: str, make_error: ErrorFactory) -> None:
    """Check that keys are plain words and not repeated. Raises: What `make_error` creates."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            line = f"{file} line {line_of_mark(key.start_mark)}"
            if not isinstance(key, yaml.ScalarNode):
                raise make_error(line, "a key is not a plain word", "use words as keys")
            if name in seen:
                raise make_error(line, f"the key {name!r} is repeated", "keep one of the two")
            seen.add(name)
            check_keys(value, file, make_error)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            check_keys(value, file, make_error)


def line_of_mark(mark: Any) -> int:
    """The line number of a mark, from 1."""
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


def location(file: str, error: Exception) -> str:
    """The file, and the line if the parser reports it."""
    mark = getattr(error, "problem_mark", None)
    return f"{file} line {mark.line + 1}" if mark is not None else file


def summary(error: Exception) -> str:
    """The first line of the parser's message."""
    text = str(getattr(error, "problem", None) or error) or type(error).__name__
    return text.splitlines()[0][:200]

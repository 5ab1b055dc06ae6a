"""Plain trade English in every text that a person meets, and in the names of the code.

The list holds turns of phrase that a native technical writer would not use. Machine words (error codes, JSON keys,
paths) are not prose: a literal without a space is left alone. Decision records are kept as they were written.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.house.reading import name_of, sources, tracked, tree_of

DIALECT = {
    r"mend(?:s|ed|ing|able)?": "repair, fix",
    r"anew": "again, from scratch",
    r"told": "reported, shown, listed",
    r"(?<!there )(?:is|are|was|were) no (?!longer|more)\w+": "is not a",
    r"in place of": "instead of",
    r"(?:go(?:es|ing)?|gone|went) on from": "resume, continue from",
    r"(?:at most )?so many": "maximum number of",
    r"pictures?": "image",
    r"hold again": "restore",
    r"set aside at the door": "quarantined",
}
FORBIDDEN_NAMES = {"picture", "pictures", "mend", "mended", "mending", "told", "anew"}
"""Words that no identifier may contain, between underscores."""
FORBIDDEN_MODULES = {
    "settling", "setting_aside", "landing", "putting", "placing", "registering", "narrow", "drawn", "life",
    "excuses", "standing", "keeping", "torn", "moved", "texts", "trees", "locating", "upkeep", "reckoning", "front",
}  # fmt: skip
FORBIDDEN_FUNCTIONS = {"_told", "settle", "tell"}
FORBIDDEN_CLASSES = {"Hand", "Settling", "Excuses", "Standing", "Kept", "Placing", "Placed"}
CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`|\]\([^)]*\)|https?://\S+", re.DOTALL)
MACHINE = re.compile(r"[\w.:/*{}<>@#%+=,?&-]*")


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Place and text: prose of Markdown pages, docstrings, literals with a space, and comments of our code."""
    return (*_markdown(), *(piece for path in _python() for piece in _pieces(path)), *_web())


def _python() -> list[Path]:
    return [path for path in sources() if "migrations" not in path.parts]


def _markdown() -> Iterator[tuple[str, str]]:
    for path in tracked():
        if path.suffix == ".md" and "decisions" not in path.parts:
            yield name_of(path), CODE.sub(" ", path.read_text("utf-8"))


def _web() -> Iterator[tuple[str, str]]:
    for path in tracked():
        if path.suffix in {".ts", ".tsx"} and ".gen." not in path.name and not path.name.endswith(".d.ts"):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                yield f"{name_of(path)}:{number}", line if " " in line.strip() else ""


def _pieces(path: Path) -> Iterator[tuple[str, str]]:
    for line, text in prose_of(path.read_text("utf-8")):
        yield f"{name_of(path)}:{line}", CODE.sub(" ", text)


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of docstrings, literals that are prose, and comments."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and not MACHINE.fullmatch(node.value)
        ):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def hits_of(phrase: str, text: str) -> list[str]:
    """Where a phrase of the list stands in a text."""
    return [m.group() for m in re.finditer(rf"(?<![\w-])(?:{phrase})(?![\w-])", text, re.IGNORECASE)]


@pytest.mark.parametrize("phrase", DIALECT)
def test_texts_are_plain_trade_english(phrase):
    hits = [f"{place}: {hit!r}" for place, text in texts() for hit in hits_of(phrase, text)]
    assert hits == [], f"{len(hits)} times; say {DIALECT[phrase]}"


def test_identifiers_are_plain_trade_english():
    hits = [
        f"{name_of(path)}:{line}: {name}"
        for path in _python()
        for line, name in _names(tree_of(path))
        if FORBIDDEN_NAMES & set(_words(name))
    ]
    assert hits == []


def test_modules_classes_and_functions_have_names_of_the_trade():
    hits = [name_of(path) for path in _python() if path.stem in FORBIDDEN_MODULES]
    for path in _python():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and node.name.lstrip("_") in FORBIDDEN_CLASSES:
                hits.append(f"{name_of(path)}:{node.lineno}: class {node.name}")
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in FORBIDDEN_FUNCTIONS:
                hits.append(f"{name_of(path)}:{node.lineno}: {node.name}()")
    assert hits == []


@cache
def classes() -> tuple[tuple[str, str], ...]:
    """Name and place of every class of the package."""
    return tuple(
        (node.name, f"{name_of(path)}:{node.lineno}")
        for path in _python()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
    )


@pytest.mark.parametrize("name", ["Gate", "Verdict", "Gatekeeper", "Part"])
def test_a_class_name_has_one_meaning(name):
    """One class of this name in the package, wherever it stands."""
    assert len(classes()) > 500
    places = [place for found, place in classes() if found == name]
    assert len(places) <= 1, places


def test_the_list_catches_prose_and_leaves_machine_words_alone():
    source = (
        'def f():\n    """Mend it anew."""\n'
        '    return "a picture is no image", "picture-id"  # told so many times\n'
    )
    text = " | ".join(text for _, text in prose_of(source))
    caught = {phrase: hits_of(phrase, text) for phrase in DIALECT}
    assert sum(map(len, caught.values())) == 6
    assert hits_of(r"pictures?", text) == ["picture"]
    assert "picture-id" not in text


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]

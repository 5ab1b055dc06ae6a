"""One word for one thing, in prose and in docstrings; `docs/contributing/glossary.md` is the law."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from tests.house.reading import REPO, name_of, tracked, tree_of

GLOSSARY = REPO / "docs" / "contributing" / "glossary.md"
INSTEAD = {
    r"colou?rs? space of labels": "ontology",
    r"colors?": "colour",
    r"gr[a]y": "grey",
    r"label(?:ing|ed|er|ers)": "labelling, labelled, annotator",
    r"behaviors?": "behaviour",
    r"centers?": "centre",
    r"data ?points?": "sample",
    r"dataset items?": "sample",
    r"label schema": "ontology",
    r"annotation sets?": "label set",
    r"labelling tasks?": "batch or assignment",
    r"black-?lists?": "deny list",
    r"white-?lists?": "allow list",
    r"simply|obviously|of course": "nothing: leave it out",
}
CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`|\]\([^)]*\)|https?://\S+", re.DOTALL)


@cache
def prose() -> list[tuple[str, str]]:
    """Our Markdown and our docstrings, without code."""
    found = []
    for path in tracked():
        if path.suffix == ".md" and not name_of(path).startswith("docs/reference/") and path != GLOSSARY:
            found.append((name_of(path), CODE.sub(" ", path.read_text("utf-8"))))
        elif path.suffix == ".py" and name_of(path).startswith("src/"):
            found.append((name_of(path), CODE.sub(" ", _docstrings(tree_of(path)))))
    return found


def _docstrings(tree: ast.Module) -> str:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return "\n".join(ast.get_docstring(n) or "" for n in ast.walk(tree) if isinstance(n, kinds))


@pytest.mark.parametrize("word", INSTEAD)
def test_the_house_word_is_used(word):
    pattern = re.compile(rf"\b(?:{word})\b", re.IGNORECASE)
    found = [f"{name}: {hit.group()!r}" for name, text in prose() for hit in pattern.finditer(text)]
    assert found == [], f"say {INSTEAD[word]}"


def test_the_glossary_gives_each_word_once():
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 30
    assert rows == sorted(set(rows), key=str.lower)

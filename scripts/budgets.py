"""Sizes that keep the house liveable, with a ratchet.

    uv run scripts/budgets.py            # exit code 1 where something is over its budget
    uv run scripts/budgets.py --shrink   # lower or drop the listed exceptions that have become smaller

`scripts/budgets.toml` lists today's exceptions with the size that each has now. An exception may shrink,
never grow, and a new one is added by hand, with its reason beside it.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
EXCEPTIONS = REPO / "scripts" / "budgets.toml"

BUDGETS = {
    "python-file": 400,  # lines
    "python-function": 40,  # lines without the docstring
    "class-methods": 15,  # public methods
    "typescript-file": 250,  # lines
    "public-names": 40,  # names in calotype.__all__
}


@dataclass(frozen=True, slots=True)
class Size:
    """One measured thing."""

    budget: str
    name: str
    size: int


def measure(repo: Path = REPO) -> Iterator[Size]:
    """Everything that has a budget, with its present size."""
    for path in [
        *_python(repo, "src"),
        *_python(repo, "tests"),
        *_python(repo, "scripts"),
        repo / "hatch_build.py",
    ]:
        name = path.relative_to(repo).as_posix()
        source = path.read_text("utf-8")
        yield Size("python-file", name, len(source.splitlines()))
        if not name.startswith("tests/"):
            yield from _definitions(name, ast.parse(source))
    for path in sorted((repo / "web" / "src").rglob("*.ts*")):
        text = path.read_text("utf-8")
        if not _is_generated(path, text):
            yield Size("typescript-file", path.relative_to(repo).as_posix(), len(text.splitlines()))
    yield Size("public-names", "calotype.__all__", _public_names(repo / "src/calotype/__init__.py"))


def problems(sizes: list[Size], exceptions: dict[str, dict[str, int]]) -> list[str]:
    """What is over its budget, or over its listed exception."""
    found = []
    measured = {(s.budget, s.name): s.size for s in sizes}
    for (budget, name), size in measured.items():
        listed = exceptions.get(budget, {}).get(name)
        if listed is None and size > BUDGETS[budget]:
            found.append(f"{budget}: {name} has {size}, the budget is {BUDGETS[budget]}")
        elif listed is not None and size > listed:
            found.append(f"{budget}: {name} grew from {listed} to {size}; an exception may only shrink")
    return found


def shrunk(sizes: list[Size], exceptions: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The exceptions at their present sizes: those within budget are dropped, none is raised."""
    measured = {(s.budget, s.name): s.size for s in sizes}
    kept: dict[str, dict[str, int]] = {}
    for budget, rows in exceptions.items():
        for name, listed in rows.items():
            now = min(listed, measured.get((budget, name), 0))
            if now > BUDGETS[budget]:
                kept.setdefault(budget, {})[name] = now
    return kept


def read_exceptions() -> dict[str, dict[str, int]]:
    """The listed exceptions: budget -> name -> size."""
    return dict(tomllib.loads(EXCEPTIONS.read_text("utf-8"))) if EXCEPTIONS.is_file() else {}


def write_exceptions(exceptions: dict[str, dict[str, int]]) -> None:
    """Write the list back, keeping the comments of the lines that stay."""
    kept: list[str] = []
    table = ""
    for line in EXCEPTIONS.read_text("utf-8").splitlines():
        name = line.split('"')[1] if line.startswith('"') else None
        table = line.strip("[]") if line.startswith("[") else table
        if name is None:
            kept.append(line)
        elif name in exceptions.get(table, {}):
            comment = line.partition("#")[2]
            kept.append(f'"{name}" = {exceptions[table][name]}' + (f"  #{comment}" if comment else ""))
    EXCEPTIONS.write_text("\n".join(kept) + "\n", encoding="utf-8")


def _python(repo: Path, folder: str) -> list[Path]:
    found = sorted((repo / folder).rglob("*.py"))
    return [
        path for path in found if path.parent.name != "versions"
    ]  # migrations are written once and only read


def _definitions(file: str, tree: ast.Module) -> Iterator[Size]:
    def walk(node: ast.AST, prefix: str) -> Iterator[Size]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Size("python-function", f"{file}::{prefix}{child.name}", _code_lines(child))
                yield from walk(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.ClassDef):
                yield Size("class-methods", f"{file}::{prefix}{child.name}", _public_methods(child))
                yield from walk(child, f"{prefix}{child.name}.")
            else:
                yield from walk(child, prefix)

    yield from walk(tree, "")


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def _public_methods(kind: ast.ClassDef) -> int:
    functions = (node for node in kind.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return sum(not function.name.startswith("_") for function in functions)


def _is_generated(path: Path, text: str) -> bool:
    return path.name.endswith((".gen.ts", ".d.ts")) or "generated" in text[:200].lower()


def _public_names(init: Path) -> int:
    for node in ast.walk(ast.parse(init.read_text("utf-8"))):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)
        value = getattr(node, "value", None)
        if named and isinstance(value, ast.List | ast.Tuple):
            return len(value.elts)
    return 0


def main() -> int:
    """Print what is over budget."""
    sizes, exceptions = list(measure()), read_exceptions()
    if "--shrink" in sys.argv[1:]:
        exceptions = shrunk(sizes, exceptions)
        write_exceptions(exceptions)
    found = problems(sizes, exceptions)
    if shrunk(sizes, exceptions) != exceptions:
        print("budgets: an exception has become smaller; run scripts/budgets.py --shrink")
    print("\n".join(found) if found else f"budgets: {len(sizes)} sizes, all within budget")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

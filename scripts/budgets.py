"""Size budgets that keep the code base easy to work in, with a ratchet.

    uv run scripts/budgets.py            # exit code 1 when something exceeds its budget
    uv run scripts/budgets.py --shrink   # tighten the listed exceptions to the present sizes

`scripts/budgets.toml` lists today's exceptions with their present size. An exception may shrink, never grow; a new
one is added by hand with its reason in a comment. Floors (`test-lines`) work the other way: they may rise, never fall.
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
    # lines of a Python file
    "python-file": 400,
    # lines of a function without its docstring
    "python-function": 40,
    # parameters of a function, `self` and `cls` not counted; doors (commands, routes, `app`, the methods of `api`) are exempt
    "parameters": 8,
    # public methods of a class
    "class-methods": 15,
    # lines of a TypeScript file
    "typescript-file": 250,
    # names in calotype.__all__
    "public-names": 40,
    # lines of Python in a room, migrations not counted
    "room": 5_000,
    # Python modules in a folder, `__init__.py` not counted
    "folder": 20,
    # `# fmt: skip` comments in the repository
    "format-skips": 40,
}
ROOM_BUDGETS = {"datasets": 4_000}
FLOOR = "test-lines"
"""Lines of tests per 100 lines of code of a room; `budgets.toml` lists the least for each room."""
DOORS = {"commands.py", "routes.py", "cli.py"}
TEST_FOLDERS = ("rooms", "conformance", "properties")


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
    yield from _rooms(repo)
    yield Size("format-skips", "repository", _format_skips(repo))


def problems(sizes: list[Size], exceptions: dict[str, dict[str, int]]) -> list[str]:
    """Sizes above their budget or their listed exception, and floors that are not reached."""
    lines = []
    for size in sizes:
        listed = exceptions.get(size.budget, {}).get(size.name)
        if size.budget == FLOOR:
            if size.size < (listed or 0):
                lines.append(f"{FLOOR}: {size.name} fell from {listed} to {size.size} per 100 lines of code")
        elif listed is None and size.size > budget_of(size):
            lines.append(f"{size.budget}: {size.name} has {size.size}, the budget is {budget_of(size)}")
        elif listed is not None and size.size > listed:
            lines.append(
                f"{size.budget}: {size.name} grew from {listed} to {size.size}; an exception may only shrink"
            )
    return lines


def budget_of(size: Size) -> int:
    """The budget that applies to a measured thing."""
    return ROOM_BUDGETS.get(size.name, BUDGETS["room"]) if size.budget == "room" else BUDGETS[size.budget]


def shrunk(sizes: list[Size], exceptions: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The exceptions tightened to the present sizes: those within budget are dropped, floors are raised."""
    measured = {(size.budget, size.name): size for size in sizes}
    kept: dict[str, dict[str, int]] = {}
    for budget, rows in exceptions.items():
        for name, listed in rows.items():
            size = measured.get((budget, name))
            if size is None:
                continue
            if budget == FLOOR:
                kept.setdefault(budget, {})[name] = max(listed, size.size)
            elif min(listed, size.size) > budget_of(size):
                kept.setdefault(budget, {})[name] = min(listed, size.size)
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
    """Python files below a folder, without migrations: those are written once and only read."""
    return [path for path in sorted((repo / folder).rglob("*.py")) if path.parent.parent.name != "migrations"]


def _rooms(repo: Path) -> Iterator[Size]:
    """Lines and test lines of each room, modules of each folder."""
    top = repo / "src" / "calotype"
    lines: dict[str, int] = {}
    modules: dict[Path, int] = {}
    for path in _python(repo, "src"):
        if path.parent != top:
            room = path.relative_to(top).parts[0]
            lines[room] = lines.get(room, 0) + _n_lines(path)
        modules[path.parent] = modules.get(path.parent, 0) + (path.name != "__init__.py")
    for room, n_lines in sorted(lines.items()):
        yield Size("room", room, n_lines)
        tests = [file for kind in TEST_FOLDERS for file in (repo / "tests" / kind / room).rglob("*.py")]
        yield Size(FLOOR, room, 100 * sum(map(_n_lines, tests)) // n_lines)
    for folder, n_modules in sorted(modules.items()):
        yield Size("folder", folder.relative_to(repo).as_posix(), n_modules)


def _n_lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def _format_skips(repo: Path) -> int:
    mark = "# fmt: " + "skip"
    folders = ("src", "tests", "scripts", "benchmarks")
    files = (path for folder in folders for path in (repo / folder).rglob("*.py"))
    return sum(path.read_text("utf-8").count(mark) for path in files)


def _definitions(file: str, tree: ast.Module) -> Iterator[Size]:
    def walk(node: ast.AST, prefix: str) -> Iterator[Size]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Size("python-function", f"{file}::{prefix}{child.name}", _code_lines(child))
                if Path(file).name not in DOORS and not {"app", "api"} & set(Path(file).parts):
                    yield Size("parameters", f"{file}::{prefix}{child.name}", _n_parameters(child))
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


def _n_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    spec = function.args
    names = [argument.arg for argument in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


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
    """Print what exceeds its budget."""
    sizes, exceptions = list(measure()), read_exceptions()
    if "--shrink" in sys.argv[1:]:
        exceptions = shrunk(sizes, exceptions)
        write_exceptions(exceptions)
    over = problems(sizes, exceptions)
    if shrunk(sizes, exceptions) != exceptions:
        print("budgets: an exception can be tightened; run scripts/budgets.py --shrink")
    print("\n".join(over) if over else f"budgets: {len(sizes)} sizes, all within budget")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())

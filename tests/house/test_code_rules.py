"""Rules of the code that a syntax tree can see."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

# The doors turn every error into an answer, a worker turns it into a failed job: only they may catch all.
DOORS = (
    "src/calotype/app/",
    "src/calotype/pipeline/",
    "src/calotype/store/jobs",
    "src/calotype/foundation/http.py",
)
PLAIN_ERRORS = {
    "Exception",
    "BaseException",
    "ValueError",
    "RuntimeError",
    "OSError",
    "IOError",
    "AssertionError",
}
PRINTING = ("src/calotype/app/", "src/calotype/foundation/terminal.py")

Rule = Callable[[ast.AST], str | None]


def broken(trees: dict[str, ast.Module], rule: Rule, *, besides: tuple[str, ...] = ()) -> list[str]:
    """Places where the rule has something to say."""
    return list(_broken(trees, rule, besides))


def _broken(trees: dict[str, ast.Module], rule: Rule, besides: tuple[str, ...]) -> Iterator[str]:
    for name, tree in trees.items():
        if name.startswith(besides) if besides else False:
            continue
        for node in ast.walk(tree):
            said = rule(node)
            if said:
                yield f"{name}:{getattr(node, 'lineno', 0)}: {said}"


def _dotted(node: ast.AST | None) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def plain_raise(node: ast.AST) -> str | None:
    """A builtin error raised where one of ours belongs."""
    if not isinstance(node, ast.Raise) or node.exc is None:
        return None
    name = _dotted(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
    return f"raise {name}: raise an error of ours with a code" if name in PLAIN_ERRORS else None


def catches_all(node: ast.AST) -> str | None:
    """`except:` and `except Exception:`."""
    if not isinstance(node, ast.ExceptHandler):
        return None
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    named = {_dotted(kind) for kind in kinds}
    return "catches everything; name what may fail" if named & {"", "Exception", "BaseException"} else None


def unsafe_reader(node: ast.AST) -> str | None:
    """Readers that run what they read."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
        risky = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
        hit = sorted({name.split(".")[0] for name in names} & risky)
        if hit:
            return f"imports {hit[0]}: reading such a file runs code"
        if any(name == "xml" or name.startswith("xml.etree") for name in names):
            return "imports xml.etree: read with defusedxml (build with xml.sax.saxutils or text)"
    if isinstance(node, ast.Call) and _dotted(node.func) in {
        "yaml.load",
        "yaml.unsafe_load",
        "eval",
        "exec",
        "os.system",
    }:
        return f"calls {_dotted(node.func)}"
    return None


def prints(node: ast.AST) -> str | None:
    """`print` outside the terminal's own module."""
    return "prints" if isinstance(node, ast.Call) and _dotted(node.func) == "print" else None


def test_errors_are_ours(trees):
    assert broken(trees, plain_raise) == []


def test_only_doors_catch_everything(trees):
    assert broken(trees, catches_all, besides=DOORS) == []


def test_nothing_that_is_read_can_run(trees):
    assert broken(trees, unsafe_reader) == []


def test_only_the_terminal_prints(trees):
    assert broken(trees, prints, besides=PRINTING) == []


def test_the_rules_see_what_they_forbid():
    tree = {
        "x.py": ast.parse(
            "import pickle\ntry:\n    raise ValueError('no')\nexcept Exception:\n    print(yaml.load(f))\n"
        )
    }
    rules = [plain_raise, catches_all, unsafe_reader, prints]
    assert [len(broken(tree, rule)) for rule in rules] == [1, 1, 2, 1]

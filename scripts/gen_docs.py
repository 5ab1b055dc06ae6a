"""Write the generated part of `docs/reference/` from the code, or check that it is fresh.

    uv run scripts/gen_docs.py            # write
    uv run scripts/gen_docs.py --check    # exit code 1 where a page is stale; changes nothing

A page is a function that returns its text. A part of the code that is not there is named and skipped, as
long as its page is not there either.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import doors
from doc_access import access_page
from doc_http import http_page, models_page, openapi
from doc_text import Absent, attribute, page, table

REPO = Path(__file__).resolve().parents[1]
REFERENCE = REPO / "docs" / "reference"
MARKUP = re.compile(r"\[/?[a-z ]*\]")

# ---- checks


def checks_page() -> str:
    """Every check: what it means, what it looks at, where it comes from, what it costs, what it says."""
    registry = attribute("calotype.checks.suite.registry:REGISTRY")
    families = attribute("calotype.checks.suite.registry:FAMILIES")

    def parts() -> Iterator[str]:
        for family in families:
            mine = [check for check in registry.values() if check.family == family]
            if mine:
                yield f"## Family: {family}"
                yield from (_check(check) for check in mine)

    intro = (
        "`calotype check NAME --only CHECK-OR-FAMILY` runs some of them. *Cost* says what has to be read: columns of "
        "the tables, pixels (once an image, then kept), vectors (once a place, then kept), or a model's predictions. "
        "Checks of scope *sample* look only at what changed since the last run."
    )
    return page("Checks", intro, parts())


def _check(check: Any) -> str:
    facts = [
        ("looks at", check.unit),
        ("severity", check.severity),
        ("cost", check.cost),
        ("scope", check.scope),
        ("parameters", ", ".join(f"`{k}` {v:g}" for k, v in check.parameters.items()) or "none"),
        ("source", check.source),
        ("says", check.example or "see its meaning"),
        ("repair", check.fix),
    ]
    return f"### {check.name}\n\n{check.title}. {check.means}\n\n" + table(("", ""), facts)


# ---- errors


def errors_page() -> str:
    """Every error code with its sentence, its fix and what the doors make of it."""
    codes = attribute("calotype.foundation.codes:CODES")
    kinds = _errors_by_code()

    def parts() -> Iterator[str]:
        for code in sorted(codes):
            rows = [f"- {line}" for line in _said(kinds.get(code, []))]
            row = codes[code]
            again = "yes" if row.retryable else "no"
            how = f"HTTP status {row.status}, exit code {row.exit_code}, worth a retry: {again}."
            yield "\n\n".join([f"## {code}", *(["\n".join(rows)] if rows else []), how])

    intro = (
        "Every error carries a code that stays the same between releases, and says what happened, where, and "
        "how to fix it. Words in braces are filled in. The command line prints it to stderr and ends with the "
        "exit code; the HTTP door answers with `application/problem+json` and the same fields."
    )
    return page("Errors", intro, parts())


def _said(kinds: list[Any]) -> Iterator[str]:
    for kind in kinds:
        said = vars(kind).get("what") or (inspect.getdoc(kind) or "").partition("\n")[0]
        yield f"`{kind.__name__}`: {said}"
        if kind.fix:
            yield f"fix: {kind.fix}"


def _errors_by_code() -> dict[str, list[Any]]:
    base = attribute("calotype.foundation.errors:CalotypeError")
    for module in modules():
        try:
            importlib.import_module(module)
        except ImportError as error:  # a module that waits for one not written yet, or for an extra
            print(f"docs: {module} left out: {error.msg}")
    by_code: dict[str, list[Any]] = {}
    open_, seen = [base], {base}
    while open_:
        kind = open_.pop()
        if kind.__module__.startswith("calotype."):
            by_code.setdefault(kind.code, []).append(kind)
        fresh = [child for child in kind.__subclasses__() if child not in seen]
        seen.update(fresh)
        open_.extend(fresh)
    return {code: sorted(kinds, key=lambda kind: str(kind.__name__)) for code, kinds in by_code.items()}


def modules() -> Iterator[str]:
    """Every importable module of the package; scripts that run on import and torch's own are left out."""
    package = importlib.import_module("calotype")
    for module in pkgutil.walk_packages(package.__path__, "calotype."):
        if not module.name.endswith(("__main__", "migrations.env", "torch_loader")):
            yield module.name


# ---- command line


def cli_page() -> str:
    """Every command with its arguments and options."""
    app = attribute("calotype.app.cli:app")
    command = importlib.import_module("typer.main").get_command(app)
    intro = (
        "Data goes to stdout, messages to stderr. Exit codes: 0 fine, 1 findings, 2 usage, 3 not found, "
        "4 conflict, 5 external service, 70 a bug in Calotype."
    )
    return page(
        "Command line", intro, (_command(name, node) for name, node in _commands("calotype", command))
    )


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if getattr(command, "hidden", False):
        return
    names = command.list_commands(None) if hasattr(command, "list_commands") else []
    if not names or command.params:
        yield name, command
    for child in names:
        try:
            subcommand = command.get_command(None, child)
        except (ImportError, AttributeError) as error:  # not written yet
            print(f"docs: command {name} {child} left out: {error}")
            continue
        if subcommand is not None:
            yield from _commands(f"{name} {child}", subcommand)


def _command(name: str, command: Any) -> str:
    shown = [
        param for param in command.params if not getattr(param, "hidden", False) and param.name != "help"
    ]
    arguments = [param for param in shown if param.param_type_name == "argument"]
    options = [param for param in shown if param.param_type_name == "option"]
    usage = " ".join([name, *(_usage(a) for a in arguments), *(["[options]"] if options else [])])
    parts = [f"## {name}", f"```\n{usage}\n```", _plain(command.help)]
    if arguments:
        parts.append(table(("argument", "meaning"), [_argument_row(a) for a in arguments]))
    if options:
        parts.append(table(("option", "default", "meaning"), [_option_row(o) for o in options]))
    return "\n\n".join(part for part in parts if part)


def _argument_row(argument: Any) -> tuple[str, ...]:
    return f"`{_metavar(argument)}`", _plain(getattr(argument, "help", ""))


def _option_row(option: Any) -> tuple[str, ...]:
    return _flags(option), _default(option), _plain(getattr(option, "help", ""))


def _plain(text: str | None) -> str:
    lines = inspect.cleandoc(MARKUP.sub("", text or "")).replace("\f", "").replace("\b\n", "").strip()
    return lines if "\n" in lines and "|" not in lines else " ".join(lines.split())


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _usage(argument: Any) -> str:
    name = _metavar(argument) + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _flags(option: Any) -> str:
    names = sorted(option.opts, key=len, reverse=True) + list(option.secondary_opts)
    kind = "" if option.is_flag else f" {option.metavar or _kind(option)}"
    return ", ".join(f"`{name}`" for name in names) + (f" {kind.strip()}" if kind else "")


def _kind(option: Any) -> str:
    declared = getattr(getattr(option, "type_descriptor", None), "annotation", str)
    inner = [kind for kind in getattr(declared, "__args__", (declared,)) if isinstance(kind, type)]
    kinds = [kind.__name__ for kind in inner if kind is not type(None)]
    return (kinds[0] if kinds else "text").upper()


def _default(option: Any) -> str:
    value = option.default
    if option.required:
        return "required"
    if callable(value) or value in (None, (), [], "", False):
        return ""
    return f"`{getattr(value, 'value', value)}`"


# ---- doors


def doors_page() -> str:
    """Every verb with its doors, and why some are missing."""
    intro = (
        "A verb is something that Calotype does; the same function stands behind each of its doors. A number stands "
        "for a missing door, with its reason below. An empty *App* cell means that no page offers the verb yet; *App* "
        "names the rooms of the web app that use it, *Pipeline* the stage."
    )
    notes = "\n".join(f"{number}. {reason}" for number, reason in enumerate(doors.footnotes(), 1))
    parts = (table(("verb", *doors.COLUMNS), list(doors.rows())), "## Why a door is missing", notes)
    return page("Doors", intro, iter(parts))


# ---- label formats


NOTICES = "calotype.formats.notices:NOTICES"


def formats_page() -> str:
    """Every label format: what it reads, writes and loses."""
    formats = attribute("calotype.exchange.registry:FORMATS").values()
    head = ("format", "name", "label files", "reads", "writes", "one file can be uploaded", "streams")
    rows = [
        (
            format.title,
            f"`{format.name}`",
            ", ".join(f"`{suffix}`" for suffix in format.suffixes) or "none",
            ", ".join(sorted(format.abilities.reads)) or "no",
            ", ".join(sorted(format.abilities.writes)) or "no",
            "yes" if format.abilities.one_file else "no",
            "yes" if format.abilities.streams else "no",
        )
        for format in formats
    ]
    intro = (
        "`calotype import NAME LABELS --format FORMAT` reads a format, `calotype export NAME --format FORMAT` writes "
        "one, `calotype convert` goes from one to another. An import lists what it adjusted or left out, an export "
        "what the format could not hold, each with a count and examples."
    )
    codes = table(("code", "meaning"), [(f"`{code}`", what) for code, what in attribute(NOTICES).items()])
    notices = f"## Warnings of an import\n\n{codes}"
    return page("Label formats", intro, iter([table(head, rows), *map(_format_section, formats), notices]))


def _format_section(format: Any) -> str:
    """What one format holds, loses, and how its numbers and names are mapped."""
    abilities = format.abilities
    facts = (("Coordinates", abilities.coordinates), ("Ids", abilities.ids), ("Source", abilities.source))
    lines = [f"## {format.title}", "", *(f"- {what}: {fact}" for what, fact in facts if fact)]
    if abilities.loses:
        lines += ["", "An export cannot hold:", "", *(f"- {loss}" for loss in abilities.loses)]
    return "\n".join(lines)


# ---- Python


def python_page() -> str:
    """Every public name with its signature and docstring."""
    package = importlib.import_module("calotype")
    names = sorted(getattr(package, "__all__", []))
    if not names:
        raise Absent("calotype.__all__")
    intro = "What `import calotype as ct` shows. Everything else may change between releases."
    return page("Python", intro, (_public(name, getattr(package, name)) for name in names))


def _public(name: str, value: Any) -> str:
    parts = [f"## {name}", _signature(name, value), _doc(value)]
    if (
        inspect.isclass(value)
        and value.__module__.startswith("calotype.")
        and not issubclass(value, Exception)
    ):
        own = {name: member for kind in reversed(value.__mro__[:-1]) for name, member in vars(kind).items()}
        for method, function in sorted(own.items()):
            described = (
                function.fget if isinstance(function, property) else getattr(function, "__func__", function)
            )
            if not method.startswith("_") and inspect.isfunction(described):
                shown = f"{name}.{method}"
                sign = "" if isinstance(function, property) else _signature(shown, described)
                parts += [f"### {shown}", sign, _doc(described)]
    return "\n\n".join(part for part in parts if part)


def _signature(name: str, value: Any) -> str:
    if not callable(value):
        return ""
    try:
        signature = str(inspect.signature(value))
    except ValueError:
        return ""
    signature = re.sub(r"^\(self(, )?", "(", signature).replace("calotype.", "")
    return f"```python\n{name}{re.sub(r' at 0x[0-9a-f]+', '', signature)}\n```"


def _doc(value: Any) -> str:
    text = inspect.getdoc(value) or ""
    if not text or not (inspect.isclass(value) or inspect.isroutine(value)):
        return ""
    head, _, rest = text.partition("\n")
    return f"{head}\n\n```text\n{rest.strip(chr(10))}\n```" if rest.strip() else head


# ---- data formats


def contract_schema() -> str:
    """The JSON Schema of a contract file, for editors and for teams that check before they commit."""
    return _json(
        attribute("calotype.contracts.model:json_schema")(
            attribute("calotype.checks.suite.registry:known_checks")()
        )
    )


def pipeline_schema() -> str:
    """The JSON Schema of a pipeline file."""
    return _json(attribute("calotype.pipeline.model:json_schema")())


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "access.md": access_page,
    "cli.md": cli_page,
    "checks.md": checks_page,
    "doors.md": doors_page,
    "errors.md": errors_page,
    "formats.md": formats_page,
    "http.md": http_page,
    "http-models.md": models_page,
    "openapi.json": lambda: _json(openapi()),
    "python.md": python_page,
    "contract.schema.json": contract_schema,
    "pipeline.schema.json": pipeline_schema,
}


def main() -> int:
    """Write the pages, or compare them."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, make in PAGES.items():
        file = REFERENCE / name
        try:
            text = make()
        except Absent as missing:
            print(f"docs: {name} skipped, {missing} is not there")
            if file.is_file():
                stale.append(name)
            continue
        if check and (not file.is_file() or file.read_text("utf-8") != text):
            stale.append(name)
        elif not check:
            REFERENCE.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    if stale:
        print(f"docs: stale: {', '.join(stale)}; run `uv run scripts/gen_docs.py`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

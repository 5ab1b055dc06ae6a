"""A pipeline as YAML text: read within limits, troubles told by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from calotype.foundation import yaml_text
from calotype.foundation.errors import NotFound
from calotype.pipeline.model import STAGES, Pipeline, Stage
from calotype.pipeline.runs import PipelineInvalid

MAX_BYTES = 1_000_000
_KEYS = ("pipeline", "dataset", "stages")


class PipelineFileNotFound(NotFound):
    """No such file."""

    code = "pipeline-file-not-found"
    what = "there is no pipeline file {file}"
    fix = "check the path; `docs/how-to/pipeline.md` shows a file to begin with"


def load(file: Path) -> Pipeline:
    """The pipeline of a file; its relative paths count from the file's folder.

    Raises: PipelineFileNotFound, PipelineInvalid.
    """
    try:
        with file.open("rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except OSError:
        raise PipelineFileNotFound(file=str(file)) from None
    if len(data) > MAX_BYTES:
        raise _invalid(file.name, f"it is larger than {MAX_BYTES:,} bytes", "a pipeline is a page of YAML")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(file.name, f"byte {error.start} is not UTF-8", "save it as UTF-8") from None
    return parse(text, file=file.name, folder=file.resolve().parent)


def parse(text: str, *, file: str = "pipeline", folder: Path = Path()) -> Pipeline:
    """The pipeline of a YAML text. Raises: PipelineInvalid, with the line of the first trouble."""
    node = yaml_text.composed(text, file, _invalid, word="pipeline")
    if not isinstance(node, yaml.MappingNode):
        raise _invalid(f"{file} line 1", "it is not a mapping", "start it with `pipeline: NAME`")
    yaml_text.check_keys(node, file, _invalid)
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise _invalid(
            yaml_text.place(file, error), yaml_text.short(error), "write such values in quotes"
        ) from None
    for key in value:
        if key not in _KEYS:
            line = _line_of(node, (key,))
            raise _invalid(f"{file} line {line}", f"unknown key {key!r}", f"known: {', '.join(_KEYS)}")
    entries = value.get("stages")
    if not isinstance(entries, list):
        line = _line_of(node, ("stages",))
        raise _invalid(f"{file} line {line}", "`stages` is no list", "stages: [{acquire: {from: images}}]")
    stages = [_stage(entry, node, at, file) for at, entry in enumerate(entries)]
    plain = {name: value[key] for name, key in (("name", "pipeline"), ("dataset", "dataset")) if key in value}
    try:
        return Pipeline.model_validate({**plain, "stages": stages, "folder": folder})
    except ValidationError as error:
        raise _explained(error, node, file, renamed={"name": "pipeline"}) from None


def _stage(entry: Any, node: yaml.Node, at: int, file: str) -> Stage:
    line = _line_of(node, ("stages", at))
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        hint = "write each as `- acquire: {from: images}`"
        raise _invalid(f"{file} line {line}", f"stage {at + 1} is no stage with one name", hint)
    word, fields = next(iter(entry.items()))
    kind = STAGES.get(word) if isinstance(word, str) else None
    if kind is None:
        detail = f"stage {at + 1} is called {str(word)[:80]!r}, which is no stage"
        raise _invalid(f"{file} line {line}", detail, f"known: {', '.join(STAGES)}")
    try:
        return kind.model_validate({} if fields is None else fields)
    except ValidationError as error:
        raise _explained(error, node, file, under=("stages", at, word)) from None


def _explained(
    error: ValidationError,
    node: yaml.Node,
    file: str,
    *,
    under: tuple[int | str, ...] = (),
    renamed: dict[str, str] | None = None,
) -> PipelineInvalid:
    found = error.errors(include_url=False, include_context=False)
    first = min(
        found, key=lambda one: one["type"] != "extra_forbidden"
    )  # a misspelt field explains a missing one
    loc = tuple((renamed or {}).get(str(part), part) for part in first["loc"])
    plain = {"extra_forbidden": "no such field", "missing": "the field is missing"}
    message = plain.get(first["type"], first["msg"]).removeprefix("Value error, ")[:400]
    line = _line_of(node, (*under, *loc))
    path = ".".join(str(part + 1) if isinstance(part, int) else part for part in (*under, *loc))
    return _invalid(f"{file} line {line}", f"{path}: {message}", "correct that line; text may need quotes")


def _line_of(node: yaml.Node, loc: tuple[Any, ...]) -> int:
    """The line (from 1) of the deepest part of `loc` that is there."""
    line = yaml_text.line_of_mark(node.start_mark)
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    node, line = value, yaml_text.line_of_mark(key.start_mark)
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = yaml_text.line_of_mark(node.start_mark)
    return line


def _invalid(where: str, detail: str, hint: str) -> PipelineInvalid:
    return PipelineInvalid(where=where, detail=detail, hint=hint)

"""Pipelines as YAML text: parsed within limits; errors name the line."""

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
    """The pipeline file does not exist."""

    code = "pipeline-file-not-found"
    what = "pipeline file {file} does not exist"
    fix = "check the path; see `docs/how-to/pipeline.md` for an example"


def load(file: Path) -> Pipeline:
    """Read a pipeline file. Paths in it are relative to the file's folder.

    Raises: PipelineFileNotFound, PipelineInvalid.
    """
    try:
        with file.open("rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except OSError:
        raise PipelineFileNotFound(file=str(file)) from None
    if len(data) > MAX_BYTES:
        raise _invalid(
            file.name, f"it is larger than {MAX_BYTES:,} bytes", "a pipeline is about a page of YAML"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(file.name, f"byte {error.start} is not UTF-8", "save it as UTF-8") from None
    return parse(text, file=file.name, folder=file.resolve().parent)


def parse(text: str, *, file: str = "pipeline", folder: Path = Path()) -> Pipeline:
    """Parse a pipeline from YAML text. Raises: PipelineInvalid, with the line of the first error."""
    node = yaml_text.compose(text, file, _invalid, word="pipeline")
    if not isinstance(node, yaml.MappingNode):
        raise _invalid(f"{file} line 1", "it is not a mapping", "start it with `pipeline: NAME`")
    yaml_text.check_keys(node, file, _invalid)
    value = yaml_text.load(text, file, _invalid)
    for key in value:
        if key not in _KEYS:
            line = _line_of(node, (key,))
            raise _invalid(f"{file} line {line}", f"unknown key {key!r}", f"known: {', '.join(_KEYS)}")
    entries = value.get("stages")
    if not isinstance(entries, list):
        line = _line_of(node, ("stages",))
        raise _invalid(f"{file} line {line}", "`stages` is not a list", "stages: [{acquire: {from: images}}]")
    stages = [_stage(entry, node, index, file) for index, entry in enumerate(entries)]
    plain = {name: value[key] for name, key in (("name", "pipeline"), ("dataset", "dataset")) if key in value}
    try:
        return Pipeline.model_validate({**plain, "stages": stages, "folder": folder})
    except ValidationError as error:
        raise _invalid_field(error, node, file, renamed={"name": "pipeline"}) from None


def _stage(entry: Any, node: yaml.Node, index: int, file: str) -> Stage:
    line = _line_of(node, ("stages", index))
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        hint = "write each stage as `- acquire: {from: images}`"
        raise _invalid(f"{file} line {line}", f"stage {index + 1} is not a mapping with one key", hint)
    word, fields = next(iter(entry.items()))
    kind = STAGES.get(word) if isinstance(word, str) else None
    if kind is None:
        detail = f"stage {index + 1} has the unknown kind {str(word)[:80]!r}"
        raise _invalid(f"{file} line {line}", detail, f"known: {', '.join(STAGES)}")
    try:
        return kind.model_validate({} if fields is None else fields)
    except ValidationError as error:
        raise _invalid_field(error, node, file, under=("stages", index, word)) from None


def _invalid_field(
    error: ValidationError,
    node: yaml.Node,
    file: str,
    *,
    under: tuple[int | str, ...] = (),
    renamed: dict[str, str] | None = None,
) -> PipelineInvalid:
    errors = error.errors(include_url=False, include_context=False)
    # A misspelt field explains a missing one.
    first = min(errors, key=lambda item: item["type"] != "extra_forbidden")
    loc = tuple((renamed or {}).get(str(part), part) for part in first["loc"])
    plain = {"extra_forbidden": "no such field", "missing": "field is missing"}
    message = plain.get(first["type"], first["msg"]).removeprefix("Value error, ")[:400]
    line = _line_of(node, (*under, *loc))
    path = ".".join(str(part + 1) if isinstance(part, int) else part for part in (*under, *loc))
    return _invalid(f"{file} line {line}", f"{path}: {message}", "correct this line; text may need quotes")


def _line_of(node: yaml.Node, loc: tuple[Any, ...]) -> int:
    """Line (from 1) of the deepest part of `loc` that exists."""
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

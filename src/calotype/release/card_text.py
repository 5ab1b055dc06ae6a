"""A card as Markdown. Names and values come from anywhere: whatever Markdown or HTML would act on is
escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>|#!~])")
_LONG = 200


def markdown(card: Mapping[str, Any]) -> str:
    """The card for people; the same card, the same text."""
    parts: list[str] = [f"# {_text(card['dataset'])} {_text(card['version'])}"]
    if card["description"]:
        parts.append(_text(card["description"]))
    parts.append(_about(card))
    parts.extend(_contents(card))
    parts.extend(_origin(card))
    parts.extend(_tests(card))
    parts.extend(_exports(card))
    return "\n\n".join(parts) + "\n"


def _about(card: Mapping[str, Any]) -> str:
    split_by, pool = card["split_by"], card["pool"]
    lines = [
        ("Date", card["date"]),
        ("Commit", card["commit"]),
        ("Author", card["author"]),
        ("Contract", card["contract"]),
        ("Intent", card["intent"]),
        ("Owner", card["owner"]),
        ("Label set", card["label_set"]),
        ("Query of the pool", pool["where"]),
        ("Selected samples", pool["selected"]),
        ("Kept together by", split_by["by"]),
    ]
    return "\n".join(f"- {word}: {_text(value)}" for word, value in lines if value not in ("", None))


def _contents(card: Mapping[str, Any]) -> Iterator[str]:
    yield "## What is in it"
    derived = f", of which {card['derived']} derived" if card["derived"] else ""
    sizes = card["sizes"]
    spread = f", {'x'.join(map(str, sizes['min']))} to {'x'.join(map(str, sizes['max']))} px" if sizes else ""
    yield f"{card['samples']} samples{derived}{spread}; {card['annotations']} annotations."
    names = [row["name"] for row in card["splits"]]
    rows = [(_split(row["name"]), row["samples"], row["annotations"]) for row in card["splits"]]
    yield _table(("split", "samples", "annotations"), rows)
    by_class = [
        (row["name"], row["samples"], row["annotations"], *(row["by_split"][name] for name in names))
        for row in card["classes"]
    ]
    if by_class:
        yield "## Classes"
        yield _table(("class", "samples", "annotations", *(f"in {_split(name)}" for name in names)), by_class)


def _origin(card: Mapping[str, Any]) -> Iterator[str]:
    if card["conditions"]:
        yield "## Conditions"
        yield _table(("field", "values", "missing"), [_condition(row) for row in card["conditions"]])
    yield "## Licences and sources"
    licences = [(row["value"] or "not given", row["count"]) for row in card["licences"]]
    yield _table(("licence", "samples"), licences)
    yield _table(
        ("source", "samples"), [(row["value"] or "not given", row["count"]) for row in card["sources"]]
    )
    if card["recipes"]:
        yield "## Recipes"
        yield _table(("recipe", "samples"), [(row["value"], row["count"]) for row in card["recipes"]])


def _condition(row: Mapping[str, Any]) -> tuple[Any, ...]:
    spread = row.get("range")
    if spread:
        return row["field"], f"{spread['min']} to {spread['max']}, median {spread['median']}", row["missing"]
    more = row["distinct"] - len(row["values"])
    said = ", ".join(f"{entry['value']} ({entry['count']})" for entry in row["values"])
    return row["field"], f"{said}, and {more} more" if more > 0 else said, row["missing"]


def _tests(card: Mapping[str, Any]) -> Iterator[str]:
    yield "## Gates"
    if not card["gates"]:
        yield "No gate was asked for."
    else:
        rows = [(row["name"], row["state"], _measure(row), row["detail"]) for row in card["gates"]]
        yield _table(("gate", "state", "measured", "detail"), rows)
    yield "## Known findings"
    if card["findings"]:
        yield _table(("check", "findings"), card["findings"].items())
    else:
        yield "None."


def _measure(row: Mapping[str, Any]) -> str:
    if row["measured"] is None:
        return ""
    wanted = "" if row["threshold"] is None else f" (threshold {row['threshold']})"
    return f"{row['measured']} {row['unit']}".rstrip() + wanted


def _exports(card: Mapping[str, Any]) -> Iterator[str]:
    for row in card["exports"]:
        yield f"## Export {_text(row['format'])}"
        yield f"{row['samples']} samples, {row['annotations']} annotations."
        if row["losses"]:
            losses = [(loss["what"], loss["count"], loss["example"]) for loss in row["losses"]]
            yield _table(("lost", "count", "example"), losses)
        else:
            yield "Nothing was lost."


def _table(head: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    lines: list[Iterable[Any]] = [[_text(word) for word in head], ["---"] * len(head)]
    lines += [[_text(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _split(name: str) -> str:
    return name or "no split"


def _text(value: Any) -> str:
    """One line without markup."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return _ACTIVE.sub(r"\\\1", line if len(line) <= _LONG else line[: _LONG - 3] + "...")

"""A card as Markdown. Names and values are untrusted, so Markdown and HTML in them is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#!~])")
_MAX_LENGTH = 200


def markdown(card: Mapping[str, Any]) -> str:
    """Render a card; the same card gives the same text.

    Keep the wording: a release must rebuild to the same bytes under later versions of Calotype.
    """
    parts: list[str] = [f"# {_text(card['dataset'])} {_text(card['version'])}"]
    if card["description"]:
        parts.append(_text(card["description"]))
    parts.append(_about(card))
    parts.extend(_warnings(card))
    parts.extend(_since(card))
    parts.extend(_contents(card))
    parts.extend(_origin(card))
    parts.extend(_tests(card))
    parts.extend(_exports(card))
    return "\n\n".join(parts) + "\n"


def _about(card: Mapping[str, Any]) -> str:
    split_by, pool = card["split_by"], card["pool"]
    privacy = card.get("privacy", {})
    days = privacy.get("retention_days")
    lines = [
        ("Date", card["date"]),
        ("Commit", card["commit"]),
        ("Author", card["author"]),
        ("Contract", card["contract"]),
        ("Intent", card["intent"]),
        ("Owner", card["owner"]),
        ("Purpose", card.get("purpose", "")),
        ("Allowed purposes", ", ".join(card.get("purposes", ()))),
        ("Privacy", privacy.get("level", "")),
        ("Shows", ", ".join(privacy.get("contains", ()))),
        ("Kept for", "" if days is None else f"{days} days"),
        ("Label set", card["label_set"]),
        ("Query of the pool", pool["where"]),
        ("Selected samples", pool["selected"]),
        ("Kept together by", split_by["by"]),
    ]
    return "\n".join(f"- {word}: {_text(value)}" for word, value in lines if value not in ("", None))


def _warnings(card: Mapping[str, Any]) -> Iterator[str]:
    if card.get("warnings"):
        yield "## Warnings"
        yield "\n".join(f"- {_text(warning)}" for warning in card["warnings"])


def _since(card: Mapping[str, Any]) -> Iterator[str]:
    since = card.get("since")
    if not since:
        return
    yield f"## Changes since {_text(since['version'])}"
    lines = [
        f"- {name}: {since[name]['added']} added, {since[name]['removed']} removed, {since[name]['changed']} changed"
        for name in ("samples", "annotations")
    ]
    if since["documents"]:
        lines.append(f"- Changed: {_text(', '.join(since['documents']))}")
    yield "\n".join(lines)


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
    values = ", ".join(f"{entry['value']} ({entry['count']})" for entry in row["values"])
    return row["field"], f"{values}, and {more} more" if more > 0 else values, row["missing"]


def _tests(card: Mapping[str, Any]) -> Iterator[str]:
    yield "## Gates"
    if not card["gates"]:
        yield "No gate was asked for."
    else:
        rows = [(row["name"], row["state"], _measure(row), row["detail"]) for row in card["gates"]]
        yield _table(("gate", "state", "measured", "detail"), rows)
    if card.get("objectives"):
        yield "## Objectives"
        objectives = [
            (row["name"], row["state"], *_objective(row), row["detail"]) for row in card["objectives"]
        ]
        yield _table(("objective", "state", "measured", "asked", "of what"), objectives)
    yield "## Known findings"
    if card["findings"]:
        yield _table(("check", "findings"), card["findings"].items())
    else:
        yield "None."
    yield from _finding_states(card.get("standing") or {})


def _finding_states(standing: Mapping[str, Any]) -> Iterator[str]:
    """States of the findings; nothing for cards of older versions, which did not record them."""
    states = ("open", "assigned", "accepted", "rejected", "fixed")
    if standing:
        yield "## State of the findings"
        yield "Fixed ones were found by earlier runs and closed by a re-test; the others are in this release."
        rows = [(row["severity"], *(row[state] for state in states)) for row in standing["states"]]
        yield _table(("severity", *states), rows)
    if standing.get("accepted"):
        yield "## Accepted risks"
        total = sum(row["accepted"] for row in standing["states"])
        more = total - len(standing["accepted"])
        names = ("severity", "check", "sample", "what", "because", "until")
        yield _table(names, [[row[name] or "dataset" for name in names] for row in standing["accepted"]])
        if more > 0:
            yield f"And {more} more."
    if standing.get("waivers"):
        yield "## Waivers in force"
        names = ("check", "where", "findings", "because", "owner", "until")
        yield _table(names, [[row[name] for name in names] for row in standing["waivers"]])


def _objective(row: Mapping[str, Any]) -> tuple[str, str]:
    measured = "" if row["measured"] is None else f"{row['measured']:g} {row['unit']}".rstrip()
    return measured, f"at {row['at']} {row['target']:g} {row['unit']}".rstrip()


def _measure(row: Mapping[str, Any]) -> str:
    if row["measured"] is None:
        return ""
    wanted = "" if row["threshold"] is None else f" (threshold {row['threshold']})"
    return f"{row['measured']} {row['unit']}".rstrip() + wanted


def _exports(card: Mapping[str, Any]) -> Iterator[str]:
    for row in card["exports"]:
        yield f"## Export {_text(row['format'])}"
        yield f"{row['samples']} samples, {row['annotations']} annotations."
        if opened := row.get("reopened"):
            counts = f"{opened['images']} images, {opened['annotations']} annotations"
            yield f"Opened again as a trainer opens it ({_text(opened['rule'])}): {counts}."
        if row["losses"]:
            losses = [(loss["what"], loss["count"], _examples(loss)) for loss in row["losses"]]
            yield _table(("lost", "count", "examples"), losses)
        else:
            yield "Nothing was lost."


def _examples(loss: Mapping[str, Any]) -> str:
    """Cards of earlier versions name one example."""
    return ", ".join(loss.get("examples") or [loss.get("example", "")])


def _table(head: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    lines: list[Iterable[Any]] = [[_text(word) for word in head], ["---"] * len(head)]
    lines += [[_text(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _split(name: str) -> str:
    return name or "no split"


def _text(value: Any) -> str:
    """One line with markup escaped."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return _MARKUP.sub(r"\\\1", line if len(line) <= _MAX_LENGTH else line[: _MAX_LENGTH - 3] + "...")

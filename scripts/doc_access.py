"""The page of access: the decision matrix of each model, what differs between them, and the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from doc_text import attribute, page, table

INTRO = (
    "What each role allows, as the rules decide it. An organisation is *central* (one data team works on the datasets "
    "of everyone), *decentral* (each team builds and releases its own) or *hybrid* (the centre sets the standards, the "
    "teams build); `calotype org set MODEL` chooses; a workspace begins as central. `calotype access why WHO ACTION "
    "RESOURCE` gives the rule of one decision.\n\n"
    "**yes**: wherever the role is held, on the whole workspace, in a team or on a dataset. **team**: only where it is "
    "held in the team or on the dataset. **all**: only where it is held on the whole workspace. A role in a team or on "
    "a dataset never reaches the workspace. A team stands for all its datasets. Branches, releases and samples answer "
    "as their dataset does, apart from the guards."
)
ATTRIBUTES = (
    "The tables above are for a dataset that nobody has classified. Guards also see what a dataset holds, which "
    "`calotype classify DATASET` says: its class (public, internal, confidential, personal; it begins as "
    "internal), its licence, the purposes that its releases may have, and a hold. Owners and the head of DataOps "
    "classify, in every organisation. Public and confidential change no decision yet: they say what people have "
    "to expect. Policies can read all of it as `resource.class`, `resource.licence`, `resource.purposes` and "
    "`resource.hold`. `guard-personal` is about people and programs with an account; whoever has the folder "
    "itself can read it anyway."
)
SECTIONS = {"workspace": "On the workspace", "dataset": "On a dataset, or all datasets of a team"}


def access_page() -> str:
    """All decisions of all models, the differences, and the rules with their names."""
    return page("Access", INTRO, _parts())


def _parts() -> Iterator[str]:
    models = attribute("calotype.govern.model:MODELS")
    for model in models:
        yield f"## {model.capitalize()}"
        yield from _tables(model)
    yield "## What differs"
    yield _differences(models)
    yield "## What a dataset holds"
    yield ATTRIBUTES
    yield "## Guards"
    yield "Prohibitions that hold in every organisation. No role outweighs them."
    yield _rules(models[0], lambda rule: rule.startswith("guard-"))
    yield "## Permits"
    yield "`no-permit` is the rule of every other no."
    yield _rules(models[0], lambda rule: not rule.startswith(("guard-", "no-permit", f"{models[0]}-")))
    for model in models:
        yield _rules(model, partial(_begins, f"{model}-"))


def _begins(mark: str, rule: str) -> bool:
    return rule.startswith(mark)


def _tables(model: str) -> Iterator[str]:
    roles = attribute("calotype.foundation.actor:ROLES")
    cells = attribute("calotype.govern.matrix:matrix")(model)
    rows = attribute("calotype.govern.matrix:rows")
    for kind, title in SECTIONS.items():
        yield f"### {title} ({model})"
        shown = [(f"`{action}`", *words) for action, *words in rows([c for c in cells if c.kind == kind])]
        yield table(("action", *roles), shown)


def _differences(models: tuple[str, ...]) -> str:
    """Decisions about the workspace and about datasets that are not the same under all models."""
    words: dict[tuple[str, str, str], list[str]] = {}
    roles = attribute("calotype.foundation.actor:ROLES")
    rows = attribute("calotype.govern.matrix:rows")
    for model in models:
        cells = attribute("calotype.govern.matrix:matrix")(model)
        for kind in SECTIONS:
            for action, *cells_of_action in rows([cell for cell in cells if cell.kind == kind]):
                for role, word in zip(roles, cells_of_action, strict=True):
                    words.setdefault((kind, f"`{action}`", role), []).append(word)
    changed = [(*key, *values) for key, values in words.items() if len(set(values)) > 1]
    return table(("on", "action", "role", *models), changed)


def _rules(model: str, wanted: Callable[[str], bool]) -> str:
    rules = attribute("calotype.govern.cedar:rules")(model)
    return table(("rule", "says"), [(f"`{rule}`", says) for rule, says in rules.items() if wanted(rule)])

"""What a decision costs, and what it costs to know who asks, in CPU seconds of one process.

    uv run benchmarks/people/access.py

Decisions: Cedar asked each time; and as the server asks, where each distinct question reaches Cedar once. Who asks: a
session whose catalog was read a moment ago, and one that is read each time; with 50 people, 5 teams and 40 datasets.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from calotype.app import workspaces
from calotype.datasets import service as datasets
from calotype.foundation.actor import ROLES, WORKSPACE, Actor, Permission, RoleOn
from calotype.govern import cedar
from calotype.govern.rules import RoleRules, question
from calotype.people import invitations, recent, service, signing_in

PASSWORD = "a lamp, a lens, a plate"
N = 20_000


def main() -> None:
    """Print the figures as JSON."""
    figures = {**decisions(), **requests()}
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=2))


def decisions() -> dict[str, float]:
    """Decisions a CPU second, for people with three roles on ever other datasets."""
    rules = RoleRules()
    permissions = list(Permission)
    questions = []
    for i in range(N):
        roles = tuple(RoleOn(ROLES[(i + k) % len(ROLES)], f"d{(i + k) % 50}") for k in range(3))
        actor = Actor(f"person:{i}", "x", roles=(), grants=roles)
        questions.append((actor, permissions[i % len(permissions)], f"d{i % 50}" if i % 3 else WORKSPACE))
    asked = [question(*asked_of) for asked_of in questions[:3_000]]
    started = time.process_time()
    for distinct in asked:
        cedar.ruling.__wrapped__("central", distinct)
    alone = len(asked) / (time.process_time() - started)
    cedar.ruling.cache_clear()
    started = time.process_time()
    for actor, permission, resource in questions:
        rules.decide(actor, permission, resource)
    together = N / (time.process_time() - started)
    return {
        "decisions_per_cpu_s_cedar_each_time": alone,
        "decisions_per_cpu_s": together,
        "distinct_questions": cedar.ruling.cache_info().currsize,
    }


def requests() -> dict[str, float]:
    """CPU milliseconds to know who asks."""
    owner = Actor("local:bench", "bench")
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(workspaces.create(owner, Path(folder) / "w")) as store,
    ):
        for i in range(40):
            datasets.create(owner, f"d{i}", store=store)
        for i in range(5):
            service.add_team(owner, f"t{i}", store=store)
            service.own_datasets(owner, f"t{i}", [f"d{k}" for k in range(i * 8, i * 8 + 8)], store=store)
        for i in range(50):
            person, secret = service.add_person(owner, f"p{i}@example.org", f"p{i}", store=store)
            service.add_member(owner, f"t{i % 5}", person.email, store=store, role="curator")
        service.grant_role(owner, "p49@example.org", "auditor", store=store)
        invitations.accept_invitation(secret, store=store, password=PASSWORD)
        session = signing_in.sign_in("p49@example.org", PASSWORD, store=store)
        remembered = cpu_ms(lambda: signing_in.from_session(session, store=store), 5_000)
        recent.MEMO_US = 0
        read = cpu_ms(lambda: signing_in.from_session(session, store=store), 500)
    return {"who_asks_cpu_ms_read": read, "who_asks_cpu_ms_a_moment_later": remembered}


def cpu_ms(call: Callable[[], object], n: int) -> float:
    """CPU milliseconds of one call."""
    call()
    started = time.process_time()
    for _ in range(n):
        call()
    return (time.process_time() - started) / n * 1e3


if __name__ == "__main__":
    main()

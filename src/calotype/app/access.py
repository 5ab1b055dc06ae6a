"""`calotype access`: who has access and why, requests for access and the review, asked of `people`; what roles allow,
asked of `govern`."""

from __future__ import annotations

import typer

from calotype.govern.commands import access_matrix, org
from calotype.people.commands import access_who, access_why
from calotype.people.oversight.commands import (
    access_answer,
    access_ask,
    access_keep,
    access_requests,
    access_review,
    access_withdraw,
    four_eyes,
)

__all__ = ["access", "org"]

access = typer.Typer(
    no_args_is_help=True,
    help="Say who has access and why, ask for it and answer, review what is held.",
)
access.command("who")(access_who)
access.command("why")(access_why)
access.command("matrix")(access_matrix)
access.command("ask")(access_ask)
access.command("requests")(access_requests)
access.command("answer")(access_answer)
access.command("withdraw")(access_withdraw)
access.command("review")(access_review)
access.command("keep")(access_keep)
org.command("four-eyes")(four_eyes)

"""`calotype access`: who has access and why, asked of `people`; what roles allow, asked of `govern`."""

from __future__ import annotations

import typer

from calotype.govern.commands import access_matrix
from calotype.people.commands import access_who, access_why

access = typer.Typer(no_args_is_help=True, help="Say who has access and why, and what each role allows.")
access.command("who")(access_who)
access.command("why")(access_why)
access.command("matrix")(access_matrix)

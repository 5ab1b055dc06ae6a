"""The options of `calotype serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 picks a free one.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
NoToken = Annotated[bool, typer.Option("--no-token", help="Serve without a token.")]
OpenBrowser = Annotated[bool, typer.Option("--open/--no-open", help="Open the app in the browser.")]
ReadOnly = Annotated[
    bool, typer.Option("--read-only", help="Write nothing: requests that would change data are refused.")
]
Accounts = Annotated[
    bool, typer.Option("--accounts", help="Serve a team: people sign in with accounts of their own.")
]
PublicUrl = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="With --accounts: the address that people open, such as https://calotype.example.org.",
    ),
]
PlainHttpOption = Annotated[
    bool, typer.Option("--plain-http", help="With --accounts: listen beyond this machine without TLS.")
]
RequestsAtOnce = Annotated[
    int,
    typer.Option(min=2, max=1_000, help="With --accounts: requests of one person that are answered at once."),
]
OidcFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="With --accounts: settings of a provider that people sign in with, in TOML."
    ),
]
Log = Annotated[bool, typer.Option("--log", help="Write one line of JSON to stderr for each request.")]
TlsCert = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Speak TLS with this certificate and its chain, as PEM.")
]
TlsKey = Annotated[Path | None, typer.Option(metavar="FILE", help="The key of the certificate, as PEM.")]
Proxies = Annotated[
    list[str] | None,
    typer.Option(
        "--proxy",
        metavar="ADDRESS",
        help="Believe the forwarded headers of this proxy or network; repeatable. Default: of none.",
    ),
]
AuditCopies = Annotated[
    str,
    typer.Option(
        metavar="PLACE",
        help="With --accounts: write signed checkpoints of the audit trail to this folder or s3://BUCKET/PREFIX.",
    ),
]
AuditCopyHours = Annotated[
    float, typer.Option(min=0.01, max=8_760, help="Hours between two of these checkpoints.")
]

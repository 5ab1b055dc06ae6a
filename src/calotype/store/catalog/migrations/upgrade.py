"""Upgrade a catalog to the newest revision."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from calotype.store.catalog.engines import WRITE
from calotype.store.catalog.text_limits import remove_length_limits

_UPGRADE_LOCK = threading.Lock()  # alembic keeps its context in module globals


def upgrade(engine: sa.Engine) -> None:
    """Apply pending migrations in one transaction; a concurrent process waits and then finds none left."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with _UPGRADE_LOCK, engine.connect() as conn:
        writer = conn.execution_options(**{WRITE: True})
        with writer.begin():
            config.attributes["connection"] = writer
            command.upgrade(config, "head")
            if engine.dialect.name == "postgresql":
                remove_length_limits(writer)

"""Alembic's entry point; runs on the connection that `upgrade` passes in."""

from __future__ import annotations

from alembic import context

from calotype.store.catalog.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction covers everything
)
context.run_migrations()

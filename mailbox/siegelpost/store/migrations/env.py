"""Alembic's entry: runs migrations on the connection that `siegelpost.store.migrate` passes."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import AutoString

from siegelpost.store.tables import metadata


def _render(kind: str, value: Any, _autogenerate: AutogenContext) -> str | Literal[False]:
    """Write SQLModel's text type as plain SQLAlchemy."""
    return "sa.String()" if kind == "type" and isinstance(value, AutoString) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=_render,
    compare_type=True,
    user_module_prefix="columns.",
)
with context.begin_transaction():
    context.run_migrations()

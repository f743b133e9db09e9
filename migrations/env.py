"""Alembic runs this for every command."""

from __future__ import annotations

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from bot import tables
from bot.database import open_database
from bot.settings import database_url, load_settings


def _plainly(_kind: str, value: object, _context: AutogenContext) -> str | Literal[False]:
    """A revision must not change when `bot.tables` does: write our own column type as SQLAlchemy's."""
    return "sa.DateTime(timezone=True)" if isinstance(value, tables.UtcDateTime) else False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        # SQLite changes a table by making it anew.
        render_as_batch=True,
        compare_type=True,
        render_item=_plainly,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with open_database(database_url(load_settings())).begin() as opened:
        _run(opened)

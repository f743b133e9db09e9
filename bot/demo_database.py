"""The demo's own database: a new SQLite file, or a schema of its own beside what PostgreSQL holds."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from bot.database import open_database
from bot.errors import OperatorError

SCHEMA = "selfai_demo"


def fresh_database(home: Path) -> str:
    """The address of an empty database: in `home`, unless DATABASE_URL names PostgreSQL.

    There it is a schema of its own, made anew: the demo never sees the bot's real records.
    Raises OperatorError if PostgreSQL cannot be reached or does not let us.
    """
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        return f"sqlite:///{home}/demo.sqlite"
    engine = open_database(given)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    except SQLAlchemyError as error:
        why = str(error).partition("\n")[0]
        raise OperatorError(f"DATABASE_URL: no schema for the demo ({why})") from None
    finally:
        engine.dispose()
    address = make_url(given).update_query_dict({"options": f"-csearch_path={SCHEMA}"})
    return address.render_as_string(hide_password=False)

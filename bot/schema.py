"""Brings the database's tables up to date, and says whether they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from bot.database import reading
from bot.errors import OperatorError


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate the database. Raises OperatorError if it cannot be reached or is newer than we are."""
    config = _config()
    with _reached(engine) as connection:
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def require_current(engine: Engine) -> None:
    """Raises OperatorError unless the database can be reached and its tables are up to date."""
    config = _config()
    with _reached(reading(engine)) as connection:
        _refuse_newer(connection, config)
        if _present(connection) != set(ScriptDirectory.from_config(config).get_heads()):
            raise OperatorError("the database's tables are not up to date: run `selfai migrate`")


def _config() -> Config:
    config = Config()
    folder = str(Path(str(files("migrations"))))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    return config


def _present(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _refuse_newer(connection: Connection, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if not _present(connection) <= known:
        raise OperatorError("the database is newer than this Selfai: update Selfai, or set DATABASE_URL")


@contextmanager
def _reached(engine: Engine) -> Iterator[Connection]:
    """A transaction in the database. Raises OperatorError if it cannot be reached."""
    try:
        connection = engine.connect()
    except DBAPIError as error:
        shown = engine.url.render_as_string(hide_password=True)
        why = str(error.orig).partition("\n")[0]
        raise OperatorError(f"cannot reach the database at {shown} ({why}): check DATABASE_URL") from error
    with connection, connection.begin():
        yield connection

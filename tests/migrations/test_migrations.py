from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import main as alembic
from alembic.migration import MigrationContext
from sqlalchemy import text

from bot.database import open_database
from bot.errors import OperatorError
from bot.platforms.base import Page
from bot.records import Records
from bot.schema import require_current, upgrade
from bot.selfie import Item, Selfie, Source, Status
from bot.tables import metadata
from tests.fakes import FakeClock, make_item

OLDEST = "0001"

OLD_ROW = """
INSERT INTO selfies (platform, item_id, source, author_id, author_name, photo_url, created_at,
                     status, since, attempt, tries)
VALUES ('x', '42', 'x.mentions', '7', 'anna', 'https://pictures.example/1.jpg',
        '2026-01-02 03:04:05.000000+00:00', 'queued', '2026-01-02 03:04:06.000000+00:00', 1, 0)
"""


def test_from_nothing_to_our_tables(empty_database_url: str) -> None:
    """The revisions make exactly what `bot.tables` says."""
    engine = open_database(empty_database_url)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_oldest_tables_keep_their_rows(empty_database_url: str) -> None:
    """What the first version wrote down is still read."""
    engine = open_database(empty_database_url)
    upgrade(engine, OLDEST)
    with engine.begin() as connection:
        connection.execute(text(OLD_ROW.replace("+00:00", "") if engine.name == "sqlite" else OLD_ROW))
    upgrade(engine)
    item = Item(
        Source.X_MENTIONS,
        "42",
        "7",
        "anna",
        None,
        "https://pictures.example/1.jpg",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    since = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
    records = Records(engine, FakeClock())
    assert records.recent(9) == [Selfie(1, item, Status.QUEUED, 1, since)]
    assert len(records.add_page(Source.X_MENTIONS, Page([make_item("42"), make_item("43")], None))) == 1
    engine.dispose()


def test_a_score_without_a_plus_minus_is_kept(empty_database_url: str) -> None:
    """It stands there from before the second revision, and is read as it was."""
    engine = open_database(empty_database_url)
    upgrade(engine, OLDEST)
    row = OLD_ROW.replace("tries)", "tries, score)").replace("1, 0)", "1, 0, 6.3)")
    with engine.begin() as connection:
        connection.execute(text(row.replace("+00:00", "") if engine.name == "sqlite" else row))
    upgrade(engine)
    [selfie] = Records(engine, FakeClock()).recent(9)
    assert (selfie.score, selfie.plus_minus) == (6.3, None)
    engine.dispose()


def test_an_unmigrated_database_is_named(empty_database_url: str) -> None:
    """The operator reads which command to run; after it, all is well, however often it is run."""
    engine = open_database(empty_database_url)
    with pytest.raises(OperatorError, match="selfai migrate"):
        require_current(engine)
    for _ in range(2):
        upgrade(engine)
        require_current(engine)
    engine.dispose()


def test_a_newer_database_is_left_alone(empty_database_url: str) -> None:
    """An old Selfai does not write into tables that it does not know."""
    engine = open_database(empty_database_url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for do in (require_current, upgrade):
        with pytest.raises(OperatorError, match="newer"):
            do(engine)
    engine.dispose()


def test_those_who_change_tables_have_alembics_own_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`alembic check` and friends work on DATABASE_URL, from the repository's root; it exits if one fails."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/selfai.sqlite")
    ini = str(Path(__file__).parents[2] / "alembic.ini")
    monkeypatch.chdir(Path(ini).parent)
    for command in ("upgrade head", "check", "downgrade base"):
        alembic(["-c", ini, *command.split()])

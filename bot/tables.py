"""The database's tables. A change here needs a revision in `migrations/versions`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC. Raises ValueError for a moment without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


RowId = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

selfies = Table(
    "selfies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("platform", String(16), nullable=False),
    Column("item_id", Text, nullable=False),
    Column("source", String(32), nullable=False),
    Column("author_id", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("thread_id", Text),
    Column("photo_url", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("retry_at", UtcDateTime),
    Column("refusal", String(32)),
    Column("score", Float),
    Column("plus_minus", Float),
    Column("faces", Integer),
    Column("reply_id", Text),
    Column("reason", Text),
    UniqueConstraint("platform", "item_id"),
    Index(None, "status", "since"),
    Index(None, "platform", "author_id"),
)
"""One row an item, for good: it is what keeps us from answering twice."""

cursors = Table(
    "cursors",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("cursor", Text),
    Column("polled_at", UtcDateTime, nullable=False),
)
"""Where each source's next poll starts."""

answers = Table(
    "answers",
    metadata,
    Column("selfie_id", RowId, ForeignKey("selfies.id"), primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("picture", LargeBinary),
    Column("alt_text", Text),
)
"""The outbox: an answer stands here from scoring until it is posted, and no longer."""

brakes = Table(
    "brakes",
    metadata,
    Column("platform", String(16), primary_key=True),
    Column("action", String(16), primary_key=True),
    Column("until", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
"""What we leave off on a platform for now; without `until`: until a person has looked."""

from __future__ import annotations

import pytest
import redis

from tests.conftest import new_postgresql


def test_ci_cannot_forget_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """At home a missing server skips tests; where all must be tested it fails them."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setenv("SELFAI_TEST_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="TEST_DATABASE_URL"), new_postgresql():
        pass
    monkeypatch.delenv("SELFAI_TEST_ALL")
    with pytest.raises(pytest.skip.Exception, match="TEST_DATABASE_URL"), new_postgresql():
        pass


@pytest.mark.parametrize("round_", [1, 2])
def test_the_queue_starts_empty(redis_connection: redis.Redis, round_: int) -> None:
    """Whatever a test left there."""
    assert redis_connection.keys() == []
    redis_connection.set("left", round_)

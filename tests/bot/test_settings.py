from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import OperatorError
from bot.settings import INSTAGRAM_CREDENTIALS, X_CREDENTIALS, database_url, load_settings
from worker import messages


def set_all(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.setenv(name.upper(), f"secret-{name}")


def test_nothing_needs_to_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Out of the box: SQLite, a private socket, both platforms off."""
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert (settings.x_is_on, settings.instagram_is_on) == (False, False)
    assert settings.home == tmp_path / "var"
    assert database_url(settings) == f"sqlite:///{tmp_path}/var/selfai.sqlite"
    assert settings.queue_url == messages.queue_url({}) == f"unix://{tmp_path}/var/queue.sock"
    assert (settings.x_poll_seconds, settings.instagram_poll_seconds) == (60, 300)
    assert settings.selfai_hashtag == "selfai_robot"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting under its own name."""
    set_all(monkeypatch, *X_CREDENTIALS, *INSTAGRAM_CREDENTIALS)
    given = {
        "DATABASE_URL": "postgresql://db/selfai",
        "REDIS_URL": "redis://queue/1",
        "SELFAI_HOME": "/srv/selfai",
        "X_API_URL": "http://127.0.0.1:8080/",
        "X_POLL_SECONDS": "15.5",
        "SELFAI_HASHTAG": "#selfai",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.x_is_on
    assert settings.instagram_is_on
    assert database_url(settings) == "postgresql://db/selfai"
    assert settings.queue_url == "redis://queue/1"
    assert settings.home == Path("/srv/selfai")
    assert settings.x_api_url == "http://127.0.0.1:8080"
    assert (settings.x_poll_seconds, settings.selfai_hashtag) == (15.5, "selfai")


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the demo, which brings its own world."""
    monkeypatch.setenv("X_POLL_SECONDS", "15")
    assert load_settings(x_poll_seconds=1).x_poll_seconds == 1


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tools write them."""
    monkeypatch.setenv("X_API_KEY", "")
    monkeypatch.setenv("X_POLL_SECONDS", "")
    assert load_settings().x_poll_seconds == 60


@pytest.mark.parametrize("names", [X_CREDENTIALS, INSTAGRAM_CREDENTIALS])
@pytest.mark.parametrize("left_out", [0, -1])
def test_half_the_credentials_are_an_error(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], left_out: int
) -> None:
    """It names what is missing, and shows no secret."""
    missing = names[left_out]
    set_all(monkeypatch, *(name for name in names if name != missing))
    with pytest.raises(OperatorError, match=f"^{missing.upper()} missing") as caught:
        load_settings()
    assert "secret-" not in str(caught.value)


def test_a_second_factor_alone_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It means that somebody meant to set up Instagram."""
    set_all(monkeypatch, "instagram_totp_seed")
    with pytest.raises(OperatorError, match=r"^INSTAGRAM_USERNAME, INSTAGRAM_PASSWORD missing"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X_POLL_SECONDS", "soon"),
        ("X_POLL_SECONDS", "0"),
        ("INSTAGRAM_POLL_SECONDS", "-1"),
        ("SWEEP_SECONDS", "nan"),
        ("SELFAI_STALE_SECONDS", "inf"),
        ("SELFAI_STALE_SECONDS", "1e300"),
        ("SELFAI_HASHTAG", "two words"),
        ("SELFAI_HASHTAG", "#"),
        ("X_API_URL", "localhost:80"),
        ("INSTAGRAM_API_URL", "file:///etc/passwd"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """In one line, with the setting's name."""
    monkeypatch.setenv(name, value)
    with pytest.raises(OperatorError, match=f"^{name}: ") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in logs, and not in error reports."""
    set_all(monkeypatch, *X_CREDENTIALS, "instagram_username", "instagram_password", "instagram_totp_seed")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret-database@db/selfai")
    monkeypatch.setenv("REDIS_URL", "redis://me:secret-redis@queue")
    shown = repr(load_settings()).replace("secret-instagram_username", "")
    assert "secret-" not in shown


def test_settings_are_frozen() -> None:
    """Read once, at the start."""
    with pytest.raises(ValueError, match="frozen"):
        load_settings().x_poll_seconds = 1

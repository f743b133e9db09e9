"""The worker's settings."""

from pathlib import Path

import pytest

from worker.settings import PACKAGED_WEIGHTS, SettingsError, read_settings

NAMES = ("SELFAI_WEIGHTS", "SELFAI_DEVICE", "SELFAI_THREADS", "SELFAI_LARGEST_DOWNLOAD")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's settings reach these tests."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_defaults() -> None:
    """Without settings: the packaged weights, a GPU if there is one, 20 MB."""
    settings = read_settings()
    assert settings.weights == PACKAGED_WEIGHTS
    assert (settings.device, settings.threads, settings.largest_download) == ("auto", 1, 20_000_000)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting has its variable."""
    for name, value in zip(NAMES, ("/elsewhere", "cuda:1", "4", "1000"), strict=True):
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.weights == Path("/elsewhere")
    assert (settings.device, settings.threads, settings.largest_download) == ("cuda:1", 4, 1000)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_setting_counts_as_unset(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a half-filled environment file."""
    expected = read_settings()
    monkeypatch.setenv(name, "")
    assert read_settings() == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SELFAI_DEVICE", "tpu"),
        ("SELFAI_THREADS", "0"),
        ("SELFAI_THREADS", "x"),
        ("SELFAI_THREADS", "100000"),
        ("SELFAI_LARGEST_DOWNLOAD", "-1"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the variable, its value, and what is expected, in one line."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name} is '{value}'") as caught:
        read_settings()
    assert "\n" not in str(caught.value)

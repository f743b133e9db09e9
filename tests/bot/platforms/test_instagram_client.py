from __future__ import annotations

from pathlib import Path

import pytest
from requests.adapters import HTTPAdapter

from bot.platforms.instagram_client import HOSTS, BotClient, Wire, mutation_token
from tests.bot.platforms.instagram_setup import setting

__all__ = ["setting"]


@pytest.mark.parametrize("api_url", [None, "http://127.0.0.1:9"])
def test_every_host_is_guarded(api_url: str | None) -> None:
    """Each of Instagram's hosts is behind our wire, and stays so when settings are loaded."""
    client = BotClient(api_url)
    client.set_settings({"session_retry_total": 3, "uuids": {}})
    for session in (client.private, client.public, client._uploads):
        for host in HOSTS:
            wire = session.get_adapter(f"https://{host}/api")
            assert isinstance(wire, Wire)
            if isinstance(wire._inner, HTTPAdapter):
                assert wire._inner.max_retries.total == 0


def test_never_by_itself() -> None:
    """Nothing is retried, solved or asked on the terminal."""
    client = BotClient("http://127.0.0.1:9")
    assert client.session_retry_total == 0
    assert client.with_challenge_flow is False
    assert client.handle_exception is None
    assert client.challenge_code_handler("ada", None) == ""


def test_tokens() -> None:
    """Tokens made from a seed are always the same, differ by seed, and look like the app's."""
    client = BotClient("http://127.0.0.1:9")
    with client.tokens_from("a"):
        assert client.generate_mutation_token() == mutation_token("a")
        first = client.generate_uuid()
    with client.tokens_from("a"):
        assert client.generate_uuid() == first
    with client.tokens_from("b"):
        assert client.generate_uuid() != first
    assert mutation_token("a") != mutation_token("b")
    assert 6_800_011_111_111_111_111 <= int(mutation_token("a")) <= 6_800_099_999_999_999_999
    assert client.generate_uuid() != client.generate_uuid()
    assert client.generate_mutation_token() != client.generate_mutation_token()


def test_only_these_files_know_instagrapi() -> None:
    """Nothing but Instagram's adapter imports instagrapi."""
    root = Path(__file__).parents[3]
    files = [path for room in ("bot", "worker", "model") for path in (root / room).rglob("*.py")]
    knowing = [
        path.relative_to(root).as_posix()
        for path in files
        if "\nimport instagrapi" in (text := path.read_text()) or "\nfrom instagrapi" in text
    ]
    assert all(name.startswith("bot/platforms/instagram") for name in knowing), knowing

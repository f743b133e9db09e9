from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.platforms.base import Broken, Later
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.instagram_problems import fault
from tests.bot.platforms.instagram_setup import HASHTAG, Setting, setting
from tests.bot.sandbox.small_instagram import BOT

__all__ = ["setting"]

LOGIN = "send_login_request/"
SEED = "JBSW Y3DP EHPK 3PXP"


def test_no_network_before_it_is_needed(setting: Setting) -> None:
    """Building the adapter asks nobody and writes nothing."""
    setting.another()
    assert setting.small.asked == []
    assert not setting.home.exists()


def test_one_log_in(setting: Setting) -> None:
    """The first call logs in; a new start and another process go on with that session and device."""
    assert setting.platform.account() == BOT
    first = json.loads((setting.home / "instagram-session.json").read_text())
    assert setting.another().account() == BOT
    assert setting.another().account() == BOT
    assert setting.small.posts(LOGIN) == 1
    assert json.loads((setting.home / "instagram-session.json").read_text()) == first


def test_private_file(setting: Setting) -> None:
    """The session's file is for our eyes only, and holds no password and no retry settings."""
    setting.platform.account()
    path = setting.home / "instagram-session.json"
    assert path.stat().st_mode & 0o777 == 0o600
    stored = path.read_text()
    assert "sandbox" not in stored
    assert "session_retry_total" not in stored
    assert sorted(one.name for one in setting.home.iterdir()) == [
        "instagram-session.json",
        "instagram-session.lock",
    ]


def test_logged_out(setting: Setting) -> None:
    """Logged out by Instagram, we log in once more, from the same device."""
    setting.platform.account()
    path = setting.home / "instagram-session.json"
    device = json.loads(path.read_text())["settings"]["uuids"]
    setting.small.world.log_out(BOT)
    assert setting.platform.account() == BOT
    assert setting.small.posts(LOGIN) == 2
    assert json.loads(path.read_text())["settings"]["uuids"] == device


def test_two_processes_log_in_once(setting: Setting) -> None:
    """A process that was logged out takes up the session that another one has made meanwhile."""
    other = setting.another()
    setting.platform.account()
    other.account()
    setting.small.world.log_out(BOT)
    assert [setting.platform.account(), other.account()] == [BOT, BOT]
    assert setting.small.posts(LOGIN) == 2


def test_two_start_at_once(setting: Setting) -> None:
    """Poller and responder that start at the same moment log in once."""
    with ThreadPoolExecutor() as both:
        names = list(both.map(lambda one: one.account(), [setting.platform, setting.another()]))
    assert names == [BOT, BOT]
    assert setting.small.posts(LOGIN) == 1


def test_not_again_and_again(setting: Setting) -> None:
    """Logged out time after time, we stop logging in; an hour later we may."""
    for _ in range(3):
        setting.platform.account()
        setting.small.world.log_out(BOT)
    with pytest.raises(Broken, match="3 times"):
        setting.platform.account()
    assert setting.small.posts(LOGIN) == 3
    setting.wait(hours=2)
    assert setting.platform.account() == BOT


def test_logged_out_at_once(setting: Setting) -> None:
    """A session that is refused right after logging in is for a person to look at."""
    setting.platform.account()
    setting.small.faults.add(fault("login_required", "*/sections/", count=None))
    with pytest.raises(Broken, match="right after"):
        setting.platform.fetch(HASHTAG, None)
    assert setting.small.posts(LOGIN) == 2


def test_wrong_password(setting: Setting) -> None:
    """A wrong password names the setting, and keeps the device for the next try."""
    with pytest.raises(Broken, match="INSTAGRAM_PASSWORD"):
        setting.another(password="wrong").account()
    device = json.loads((setting.home / "instagram-session.json").read_text())["settings"]["uuids"]
    assert setting.another().account() == BOT
    assert json.loads((setting.home / "instagram-session.json").read_text())["settings"]["uuids"] == device


def test_second_factor(setting: Setting) -> None:
    """With the seed, we make the second factor's code; without, the setting is named."""
    setting.small.world.account(BOT, totp_seed=SEED)
    with pytest.raises(Broken, match="INSTAGRAM_TOTP_SEED"):
        setting.another().account()
    with pytest.raises(Broken, match="INSTAGRAM_TOTP_SEED"):
        setting.another(totp_seed="not base 32!").account()
    assert setting.another(totp_seed=SEED).account() == BOT


def test_challenged_while_logging_in(setting: Setting) -> None:
    """A challenge stops us; nothing is asked on the terminal, and nothing is solved by itself."""
    setting.small.world.bot.trouble = "challenge_required"
    with pytest.raises(Broken, match="open the Instagram app"):
        setting.platform.account()
    assert setting.small.posts(LOGIN) == 1
    setting.small.world.bot.trouble = None
    assert setting.platform.account() == BOT


def test_an_outage_while_logging_in(setting: Setting) -> None:
    """An outage is no reason to call for a person."""
    setting.small.faults.add(Fault(FaultKind.STATUS, "*/graphql_www", status=503))
    with pytest.raises(Later):
        setting.platform.account()
    assert setting.platform.account() == BOT


def test_a_damaged_file(setting: Setting) -> None:
    """A file that is no session names itself, and is not overwritten."""
    setting.home.mkdir()
    path = setting.home / "instagram-session.json"
    path.write_text("{}")
    with pytest.raises(Broken, match=r"instagram-session\.json is not a session of ours"):
        setting.platform.account()
    assert path.read_text() == "{}"


def test_another_account(setting: Setting) -> None:
    """Another account gets a session and a device of its own."""
    setting.platform.account()
    path = setting.home / "instagram-session.json"
    device = json.loads(path.read_text())["settings"]["uuids"]
    assert setting.another(username="ada").account() == "ada"
    assert json.loads(path.read_text())["settings"]["uuids"] != device


def test_a_home_that_cannot_be_written(setting: Setting) -> None:
    """A home that is a file is an error that names it."""
    setting.home.write_text("")
    with pytest.raises(Broken, match="session file"):
        setting.platform.account()

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest
import requests
from instagrapi.exceptions import (
    BadPassword,
    ChallengeRequired,
    LoginRequired,
    TwoFactorRequired,
    UnknownError,
    UserNotFound,
)

from bot.sandbox import instagram
from bot.sandbox.instagram_passwords import is_code, read_password
from tests.bot.sandbox.small_instagram import (
    BOT,
    PASSWORD,
    SmallInstagram,
    send_to,
    small_instagram,
    stranger,
)

SEED = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallInstagram]:
    with small_instagram() as one:
        send_to(one.url, monkeypatch)
        yield one


def test_logs_in_as_today(small: SmallInstagram) -> None:
    """Instagrapi's `login` works from end to end, and says who we are."""
    client = small.person("ada")
    assert client.account_info().username == "ada"
    assert client.user_id == small.world.account("ada").pk


def test_logs_in_the_old_way(small: SmallInstagram) -> None:
    """So does `login_legacy`."""
    client = stranger()
    assert client.login_legacy("ben", PASSWORD)
    assert client.account_info().username == "ben"


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("nobody_here", PASSWORD)])
def test_wrong_password_or_name(small: SmallInstagram, name: str, password: str) -> None:
    """A wrong password, and a name that is nobody's, are a BadPassword."""
    with pytest.raises(BadPassword):
        stranger().login(name, password)


@pytest.mark.parametrize("way", ["login", "login_legacy"])
def test_second_factor(small: SmallInstagram, way: str) -> None:
    """An account with a second factor wants its code, and takes only the right one."""
    small.world.account("ada", totp_seed=SEED)
    client = stranger()
    with pytest.raises(TwoFactorRequired):
        getattr(client, way)("ada", PASSWORD)
    with pytest.raises((TwoFactorRequired, UnknownError)):
        getattr(client, way)("ada", PASSWORD, verification_code="000000")
    assert getattr(client, way)("ada", PASSWORD, verification_code=client.totp_generate_code(SEED))


def test_sessions(small: SmallInstagram) -> None:
    """A session goes over to another client; one that was ended or made up is refused."""
    client = small.person("ada")
    other = stranger()
    assert other.login_by_sessionid(client.sessionid)
    assert other.account_info().username == "ada"
    small.world.log_out("ada")
    with pytest.raises(LoginRequired):
        client.account_info()
    with pytest.raises(LoginRequired):
        stranger().account_info()


def test_session_of_another_user(small: SmallInstagram) -> None:
    """A session that names another user than it was opened for is refused."""
    client = small.person("ada")
    client.authorization_data["ds_user_id"] = str(small.world.bot.pk)
    with pytest.raises(LoginRequired):
        client.account_info()


def test_logs_out(small: SmallInstagram) -> None:
    """After logging out, the session is over."""
    client = small.person("ada")
    session = client.sessionid
    assert client.logout()
    assert small.world.session(session) is None


def test_trouble_meets_the_log_in(small: SmallInstagram) -> None:
    """An account in trouble cannot log in."""
    small.world.account("ada").trouble = "challenge_required"
    client = stranger()
    client.with_challenge_flow = False
    with pytest.raises(ChallengeRequired):
        client.login("ada", PASSWORD)


def test_makes_accounts_over_http(small: SmallInstagram) -> None:
    """A script can make an account with a password of its own."""
    requests.put(f"{small.url}/_sandbox/accounts/Zoe", json={"password": "secret"}, timeout=5)
    assert small.person("zoe", "secret").account_info().username == "zoe"


def test_users(small: SmallInstagram) -> None:
    """Users are found by name, by number, by searching and on the web."""
    client = small.person("ada")
    pk = str(small.world.bot.pk)
    assert client.user_info_by_username_v1(BOT).pk == pk
    assert client.user_info_v1(pk).username == BOT
    assert client.user_info_by_username_gql(BOT).pk == pk
    assert client.user_id_from_username(BOT) == pk
    face = requests.get(str(client.user_info_v1(pk).profile_pic_url), timeout=5)
    assert face.headers["Content-Type"] == "image/jpeg"
    with pytest.raises(UserNotFound):
        client.user_info_by_username_v1("nobody_here")


def test_reads_only_its_own_passwords() -> None:
    """What was not encrypted with our key, or was changed on its way, is no password."""
    assert read_password("#PWD_INSTAGRAM:0:1700000000:a:b") == "a:b"
    assert read_password("#PWD_INSTAGRAM:4:1700000000:AQAA") is None
    assert read_password("plain") is None


def test_codes_of_the_second_factor() -> None:
    """RFC 6238's example, for six digits and the steps beside it."""
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert is_code("287082", seed, now=59)
    assert is_code("287082", seed, now=59 + 30)
    assert not is_code("287082", seed, now=59 + 90)


def test_a_stranger_follows_the_documentation(small: SmallInstagram) -> None:
    """The script in the sandbox's documentation logs in, in a process of its own."""
    document = str(instagram.__doc__)
    script = document[document.index("    import instagrapi") : document.index("A tidier way")]
    script = textwrap.dedent(script).replace("http://127.0.0.1:8002", small.url)
    script += "print(client.account_info().username)"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout.strip() == "ada"

"""Who asks: OAuth 1.0a signatures checked for true, bearer and OAuth 2 user tokens looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl

from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature

from bot.sandbox.x_accounts import Account
from bot.sandbox.x_problems import XProblem, unauthorized
from bot.sandbox.x_world import XWorld

CLOCK_SKEW = 5 * 60
"""Seconds that a signature's time may be off."""

REAL_HOSTS = ("https://api.twitter.com", "https://api.x.com")
"""Clients redirected here below their signing still sign for these."""


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers."""

    method: str
    origin: str
    """Scheme and host that the request came in at."""
    path: str
    query: str
    """As sent, still encoded."""
    authorization: str
    form: str = ""
    """The body of a form; JSON and multipart bodies are not signed."""


@dataclass(frozen=True)
class _Claim:
    """As much of a request as oauthlib reads to verify it."""

    http_method: str
    uri: str
    params: Sequence[tuple[str, str]]
    signature: str


@dataclass
class Doorkeeper:
    """Tells who sent a request, and lets no signature in twice."""

    world: XWorld
    _nonces: dict[tuple[str, str], int] = field(default_factory=dict)

    def admit(self, request: SignedRequest) -> Account | None:
        """The account that asks, or None for the app itself. Raises XProblem (401) for strangers."""
        scheme, _, rest = request.authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._bearer(rest.strip())
        if scheme.lower() == "oauth":
            return self._oauth1(request)
        raise unauthorized("no Authorization header of kind OAuth or Bearer")

    def _bearer(self, token: str) -> Account | None:
        if token == self.world.app.bearer_token:
            return None
        account = self.world.accounts.with_oauth2_token(token)
        if account is None:
            raise unauthorized("unknown bearer token")
        return account

    def _oauth1(self, request: SignedRequest) -> Account:
        header = _signed_parameters(request.authorization)
        oauth = dict(header)
        account = self.world.accounts.with_access_token(oauth.get("oauth_token", ""))
        if account is None or oauth.get("oauth_consumer_key") != self.world.app.api_key:
            raise unauthorized("unknown consumer key or access token")
        self._check_signature(request, header, oauth, account)
        self._check_nonce(oauth)
        return account

    def _check_signature(
        self,
        request: SignedRequest,
        header: Sequence[tuple[str, str]],
        oauth: Mapping[str, str],
        account: Account,
    ) -> None:
        if oauth.get("oauth_signature_method") != "HMAC-SHA1":
            raise unauthorized("the signature method is not HMAC-SHA1")
        secrets = (self.world.app.api_secret, account.tokens.access_secret)
        claims = _claims(request, header, oauth.get("oauth_signature", ""))
        if not any(signature.verify_hmac_sha1(cast("Request", claim), *secrets) for claim in claims):
            raise unauthorized("the signature does not match")

    def _check_nonce(self, oauth: Mapping[str, str]) -> None:
        now = int(self.world.now().timestamp())
        stamp = oauth.get("oauth_timestamp", "")
        if not stamp.isdecimal() or abs(int(stamp) - now) > CLOCK_SKEW:
            raise _out_of_bounds()
        with self.world.lock:
            for known in [known for known, seen in self._nonces.items() if seen < now - CLOCK_SKEW]:
                del self._nonces[known]
            nonce = oauth["oauth_token"], oauth.get("oauth_nonce", "")
            if not nonce[1] or nonce in self._nonces:
                raise unauthorized("the nonce is missing or was used before")
            self._nonces[nonce] = int(stamp)


def _signed_parameters(authorization: str) -> Sequence[tuple[str, str]]:
    headers = {"Authorization": authorization}
    try:
        return signature.collect_parameters(headers=headers, exclude_oauth_signature=False)
    except ValueError:
        raise unauthorized("the Authorization header is malformed") from None


def _out_of_bounds() -> XProblem:
    return unauthorized("timestamp out of bounds")


def _claims(request: SignedRequest, header: Sequence[tuple[str, str]], claimed: str) -> Iterable[_Claim]:
    signed = [(name, value) for name, value in header if name != "oauth_signature"]
    signed += parse_qsl(request.query, keep_blank_values=True)
    signed += parse_qsl(request.form, keep_blank_values=True)
    for origin in (request.origin, *REAL_HOSTS):
        yield _Claim(request.method, origin + request.path, signed, claimed)

"""Logging in to the sandbox's Instagram: today's Bloks flow, the older one, and second factors."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from aiohttp import web

from bot.sandbox.instagram_passwords import is_code, published_key, read_password
from bot.sandbox.instagram_problems import Refused
from bot.sandbox.instagram_requests import API, Desk, as_object, fine, ok, read_form
from bot.sandbox.instagram_shapes import Shapes
from bot.sandbox.instagram_things import Account

BLOKS = f"{API}bloks/async_action/"
BLOKS_APPS = f"{API}bloks/apps/"
CAA = "com.bloks.www.bloks.caa.login"
TWO_STEP = "com.bloks.www.two_step_verification"
FALLBACK = "CAA_LOGIN_FALLBACK:legacy_accounts_login"
"""Sends the client to the older flow, whose answers say what is wrong."""


class Login:
    """The routes of logging in and out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: dict[str, Account] = {}
        """Whose second factor is awaited, by the context or identifier that was handed out."""

    def add_routes(self, app: web.Application) -> None:
        """Serve them."""
        add = app.router.add_post
        add("/graphql_www", fine(data={"xdt_usdid_registration": {"success": True}}))
        add(f"{API}attestation/create_android_keystore/", self._attest)
        add(f"{BLOKS}{CAA}.process_client_data_and_redirect/", self._open_login)
        add(f"{BLOKS}com.bloks.www.caa.login.oauth.token.fetch.async/", fine())
        add(f"{BLOKS}{CAA}.async.send_login_request/", self._bloks_login)
        for page in ("entrypoint", "method_picker"):
            add(f"{BLOKS_APPS}{TWO_STEP}.{page}/", fine())
        add(f"{BLOKS}{TWO_STEP}.method_picker.navigation.async/", fine())
        add(f"{BLOKS}{TWO_STEP}.verify_code.async/", self._bloks_code)
        add(f"{API}accounts/login/", self._login)
        add(f"{API}accounts/two_factor_login/", self._code)
        add(f"{API}accounts/logout/", self._logout)
        app.router.add_route("*", f"{API}qe/sync/", self._publish_key)

    async def _publish_key(self, request: web.Request) -> web.Response:
        answer = ok(experiments=[])
        answer.headers.update(published_key())
        return answer

    async def _attest(self, _: web.Request) -> web.Response:
        return ok(challenge_nonce=secrets.token_urlsafe(16), key_nonce=secrets.token_urlsafe(16))

    async def _open_login(self, _: web.Request) -> web.Response:
        context = json.dumps({"aac_init_timestamp": 0, "aacjid": secrets.token_hex(16)})
        node = {"data": {"key": "CAA_ACCOUNT_ACCESS_CONTEXT:aac", "initial": context}}
        return ok(layout={"bloks_payload": {"data": [node]}})

    async def _bloks_login(self, request: web.Request) -> web.Response:
        said = (await _bloks_params(request)).get("client_input_params", {})
        account = self._known(str(said.get("contact_point", "")), str(said.get("password", "")))
        if isinstance(account, str):
            return _bloks_action("(bk.action.core.Nop)", {"key": FALLBACK, "initial": ""})
        if account.totp_seed is None:
            return self._bloks_session(request, account)
        context = json.dumps(self._await_code(account))
        inner = (
            f'(f4i (dkc "two_step_verification_context" "flow_source") (dkc {context} "two_factor_login"))'
        )
        return _bloks_action(f'(bk.action.bloks.OpenScreen "{TWO_STEP}.entrypoint" {inner})')

    async def _bloks_code(self, request: web.Request) -> web.Response:
        params = await _bloks_params(request)
        context = str(params.get("server_params", {}).get("two_step_verification_context", ""))
        account = self._waiting.get(context)
        code = str(params.get("client_input_params", {}).get("code", ""))
        if account is None or not is_code(code, account.totp_seed or ""):
            return _bloks_action('(bk.action.caa.ShowError "Please check the code and try again.")')
        del self._waiting[context]
        return self._bloks_session(request, account)

    def _bloks_session(self, request: web.Request, account: Account) -> web.Response:
        embedded = {
            "login_response": json.dumps(self._logged_in(request, account)),
            "headers": json.dumps({"IG-Set-Authorization": self._authorize(account)}),
            "cookies": "",
        }
        return _bloks_action(f"(bk.action.caa.HandleLoginResponse {json.dumps(json.dumps(embedded))})")

    async def _login(self, request: web.Request) -> web.Response:
        said = await read_form(request)
        account = self._known(str(said.get("username", "")), str(said.get("enc_password", "")))
        if isinstance(account, str):
            raise Refused(account)
        return self._ask_code(account) if account.totp_seed else self._session(request, account)

    def _ask_code(self, account: Account) -> web.Response:
        info = {
            "pk": account.pk,
            "username": account.username,
            "sms_two_factor_on": False,
            "totp_two_factor_on": True,
            "two_factor_identifier": self._await_code(account),
        }
        body = {"message": "", "two_factor_required": True, "two_factor_info": info}
        return web.json_response({**body, "error_type": "two_factor_required", "status": "fail"}, status=400)

    async def _code(self, request: web.Request) -> web.Response:
        said = await read_form(request)
        account = self._waiting.get(str(said.get("two_factor_identifier", "")))
        if account is None or not is_code(str(said.get("verification_code", "")), account.totp_seed or ""):
            raise Refused("bad_code")
        return self._session(request, account)

    async def _logout(self, request: web.Request) -> web.Response:
        self._desk.world.log_out(self._desk.viewer(request).username)
        return ok()

    def _session(self, request: web.Request, account: Account) -> web.Response:
        answer = ok(**self._logged_in(request, account))
        answer.headers["ig-set-authorization"] = self._authorize(account)
        return answer

    def _logged_in(self, request: web.Request, account: Account) -> dict[str, Any]:
        return {"logged_in_user": Shapes(self._desk, request).user(account), "status": "ok"}

    def _authorize(self, account: Account) -> str:
        said = {"ds_user_id": str(account.pk), "sessionid": self._desk.world.open_session(account)}
        return f"Bearer IGT:2:{base64.b64encode(json.dumps(said).encode()).decode()}"

    def _known(self, username: str, sent: str) -> Account | str:
        """The account, if name and password are right; else the problem's name."""
        account = self._desk.world.find_account(username)
        if account is None:
            return "bad_password"
        if account.trouble:
            raise Refused(account.trouble)
        return account if read_password(sent) == account.password else "bad_password"

    def _await_code(self, account: Account) -> str:
        identifier = secrets.token_urlsafe(16)
        self._waiting[identifier] = account
        return identifier


async def _bloks_params(request: web.Request) -> dict[str, dict[str, Any]]:
    params = as_object(str((await read_form(request)).get("params", "")))
    return {name: value for name, value in params.items() if isinstance(value, dict)}


def _bloks_action(program: str, *nodes: dict[str, str]) -> web.Response:
    data = [{"data": node} for node in nodes]
    return ok(layout={"bloks_payload": {"action": program, "data": data}})

"""How Instagram says no: its error answers by name, as its private API words them.

An answer can be ordered for some requests (`Faults.add(fault("feedback_required", "*/comment/"))`),
for all calls of an account (`Account.trouble`), or follows from what stands in the world
(a post that is gone, comments turned off, a person who takes no messages).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.faults import Fault, FaultKind

CHALLENGE_URL = "https://i.instagram.com/challenge/"


@dataclass(frozen=True)
class Problem:
    """An error answer."""

    status: int
    body: dict[str, Any] | str
    """A text is sent as it is."""

    def answer(self) -> web.Response:
        """As an HTTP answer."""
        if isinstance(self.body, str):
            return web.Response(status=self.status, text=self.body)
        return web.json_response(self.body, status=self.status)


def _fail(status: int, message: str, **more: Any) -> Problem:
    return Problem(status, {"message": message, **more, "status": "fail"})


PROBLEMS: dict[str, Problem] = {
    "login_required": _fail(
        403, "login_required", error_title="You've Been Logged Out", error_body="Please log back in."
    ),
    "bad_password": _fail(
        400,
        "The password you entered is incorrect. Please try again.",
        invalid_credentials=True,
        error_title="Incorrect Password",
        error_type="bad_password",
    ),
    "invalid_user": _fail(
        400,
        "The username you entered doesn't appear to belong to an account. Please check your username.",
        invalid_credentials=True,
        error_type="invalid_user",
    ),
    "bad_code": _fail(
        400,
        "Please check the security code and try again.",
        error_type="sms_code_validation_code_invalid",
    ),
    "challenge_required": _fail(
        400,
        "challenge_required",
        challenge={
            "url": CHALLENGE_URL,
            "api_path": "/challenge/",
            "hide_webview_header": True,
            "lock": True,
        },
    ),
    "masked_challenge": Problem(404, "Not Found"),
    "checkpoint_required": _fail(
        400, "checkpoint_required", checkpoint_url=CHALLENGE_URL, lock=True, flow_render_type=0
    ),
    "suspended": _fail(
        400, "challenge_required", challenge={"url": "https://www.instagram.com/accounts/suspended/"}
    ),
    "feedback_required": _fail(
        400,
        "feedback_required",
        spam=True,
        feedback_title="Try Again Later",
        feedback_message="We restrict certain activity to protect our community.",
        feedback_action="report_problem",
    ),
    "please_wait": _fail(401, "Please wait a few minutes before you try again.", require_login=True),
    "rate_limited": _fail(429, "Too many requests"),
    "rate_limit_error": _fail(400, "Please wait.", error_type="rate_limit_error"),
    "sentry_block": _fail(400, "Sorry, there was a problem with your request.", error_type="sentry_block"),
    "server_error": Problem(500, "Oops, an error occurred."),
    "comments_off": _fail(400, "Comments on this post have been turned off."),
    "comments_limited": _fail(400, "Comments on this post have been limited."),
    "media_gone": _fail(400, "Media not found or unavailable"),
    "photo_deleted": _fail(400, "Sorry, this photo has been deleted."),
    "user_not_found": _fail(404, "User not found"),
    "thread_gone": _fail(404, "Thread does not exist"),
    "not_your_comment": _fail(400, "You cannot delete this comment."),
    "upload_missing": _fail(400, "Upload ID not found"),
    "messages_off": _fail(
        400, "This account can't receive your message because they don't allow new message requests."
    ),
    "no_such_route": _fail(404, "The sandbox does not know this call"),
}
"""By the name that tests and switches use."""


class Refused(Exception):
    """A call that is answered with one of the problems."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.problem = PROBLEMS[name]


def fault(name: str, route: str = "*", method: str = "*", count: int | None = 1) -> Fault:
    """The problem of this name as a fault, for requests whose path matches `route`.

    Raises KeyError if there is no such problem.
    """
    problem = PROBLEMS[name]
    return Fault(FaultKind.STATUS, route, method, count, status=problem.status, body=problem.body)


@web.middleware
async def problems_middleware(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer refused calls as Instagram does, and unknown ones with a body that says so."""
    try:
        answer: web.StreamResponse = await handler(request)
    except Refused as refused:
        return refused.problem.answer()
    except web.HTTPNotFound:
        if request.path.startswith("/pictures/"):
            raise
        return PROBLEMS["no_such_route"].answer()
    return answer

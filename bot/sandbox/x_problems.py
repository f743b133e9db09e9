"""The small X's refusals, in the bodies that X sends.

X answers errors in the shape of problem+json. The API's description also allows a plain
`code` and `message`; bodies here carry both, so that they are valid under either reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BLANK = "about:blank"

# X's numbers for the commonest errors, from before it had problem types.
_CODES = {400: 214, 401: 32, 403: 200, 404: 34, 429: 88}


class XProblem(Exception):
    """A request that is refused: an HTTP status and what the body says."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        kind: str = BLANK,
        *,
        code: int | None = None,
        reason: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        """`about:blank`, or the last part of the problem type's address."""
        self.headers: Mapping[str, str] = {}
        self._problem = {"title": title, "detail": detail, "status": status, **more}
        self._plain = {"code": code or _CODES.get(status, status), "message": reason or detail}

    def body(self, types: str) -> dict[str, Any]:
        """The refusal as an answer of its own; `types` is the address that problem types begin with."""
        return self.partial(types) | self._plain

    def partial(self, types: str) -> dict[str, Any]:
        """The refusal as one of the `errors` in an answer that succeeds otherwise."""
        return {**self._problem, "type": self.kind if self.kind == BLANK else types + self.kind}


def unauthorized(reason: str) -> XProblem:
    """401; X says no more than "Unauthorized", `message` says why."""
    return XProblem(401, "Unauthorized", "Unauthorized", reason=f"Could not authenticate you: {reason}")


def unsupported_authentication() -> XProblem:
    """403: an app-only token where a person's is needed."""
    return XProblem(
        403,
        "Unsupported Authentication",
        "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported "
        "authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
        "unsupported-authentication",
    )


def forbidden(detail: str, code: int | None = None) -> XProblem:
    """403 with X's words."""
    return XProblem(403, "Forbidden", detail, code=code)


def invalid(parameter: str, value: object, message: str) -> XProblem:
    """400: a parameter or a field of the body that makes no sense."""
    return XProblem(
        400,
        "Invalid Request",
        "One or more parameters to your request was invalid.",
        "invalid-request",
        errors=[{"parameters": {parameter: [str(value)]}, "message": message}],
    )


def missing(parameter: str, value: str, what: str) -> XProblem:
    """404: nothing with that id."""
    return XProblem(
        404,
        "Not Found Error",
        f"Could not find {what} with {parameter}: [{value}].",
        "resource-not-found",
        parameter=parameter,
        value=value,
        resource_id=value,
        resource_type=what,
    )


def too_many() -> XProblem:
    """429: the route's limit is used up."""
    return XProblem(429, "Too Many Requests", "Too Many Requests")

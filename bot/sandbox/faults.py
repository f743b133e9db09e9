"""Misbehaviour on demand: what a sandboxed platform is told to do wrong, by route and count.

Told directly (`Faults.add`) or over HTTP: `PUT /_sandbox/faults` with a JSON list replaces all,
`POST` adds one or several, `GET` shows what is left, `DELETE` ends all misbehaviour.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Self

from aiohttp import web

ROUTE = "/_sandbox/faults"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """The request is not carried out; the answer is `status` with `body` and `headers`."""
    DELAY = "delay"
    """The request is carried out; the answer comes `seconds` late."""
    CUT = "cut"
    """The request is carried out; half of the answer arrives, then the connection closes."""
    NO_ANSWER = "no_answer"
    """The request is carried out; the connection closes without an answer."""


@dataclass(frozen=True)
class Fault:
    """One kind of misbehaviour, for some requests."""

    kind: FaultKind
    route: str = "*"
    """A glob over the request's path, such as `/2/users/*/mentions`."""
    method: str = "*"
    """An HTTP method, or `*` for any."""
    count: int | None = 1
    """For how many requests; None: for all."""
    status: int = 500
    seconds: float = 1.0
    body: Any = None
    """Text is sent as it is, anything else as JSON; None: nothing."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read what was sent. Raises AttributeError, KeyError, TypeError or ValueError if it is none."""
        fields = {name: _READERS[name](value) for name, value in message.items()}
        return cls(**{**fields, "kind": FaultKind(message["kind"])})

    def concerns(self, method: str, path: str) -> bool:
        """Whether a request is one of those that go wrong."""
        return self.method.upper() in ("*", method) and fnmatchcase(path, self.route)

    def answer(self) -> web.Response:
        """The answer of a `status` fault."""
        if isinstance(self.body, str) or self.body is None:
            return web.Response(status=self.status, text=self.body, headers=self.headers)
        headers = {"Content-Type": "application/json", **self.headers}
        return web.Response(status=self.status, body=json.dumps(self.body).encode(), headers=headers)


def _status(status: Any) -> int:
    if not 200 <= int(status) <= 599:
        raise ValueError(f"{status} is no status of an answer")
    return int(status)


_READERS: dict[str, Callable[[Any], Any]] = {
    "kind": FaultKind,
    "route": str,
    "method": str,
    "count": lambda count: None if count is None else int(count),
    "status": _status,
    "seconds": float,
    "body": lambda body: body,
    "headers": lambda headers: {str(name): str(value) for name, value in headers.items()},
}
"""How each field of an order is read."""


class Faults:
    """The misbehaviour ordered of one application, used up in the order of ordering."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Order more."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Behave from now on."""
        with self._lock:
            self._faults.clear()

    def left(self) -> Sequence[Fault]:
        """What is ordered and not used up."""
        with self._lock:
            return tuple(self._faults)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, counted down."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.concerns(method, path):
                    self._count_down(place, fault)
                    return fault
        return None

    def _count_down(self, place: int, fault: Fault) -> None:
        if fault.count is None:
            return
        if fault.count > 1:
            self._faults[place] = replace(fault, count=fault.count - 1)
        else:
            del self._faults[place]

    def apply_to(self, app: web.Application) -> None:
        """Make this application misbehave as ordered, and take orders over HTTP."""
        app.middlewares.insert(0, self._middleware())
        app.router.add_get(ROUTE, self._show)
        app.router.add_put(ROUTE, self._order)
        app.router.add_post(ROUTE, self._order)
        app.router.add_delete(ROUTE, self._order)

    def _middleware(self) -> Any:
        @web.middleware
        async def misbehave(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path == ROUTE:
                return await handler(request)
            fault = self.take(request.method, request.path)
            return await (handler(request) if fault is None else _go_wrong(fault, request, handler))

        return misbehave

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in self.left()])

    async def _order(self, request: web.Request) -> web.Response:
        try:
            faults = [] if request.method == "DELETE" else _read(await request.json())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"not a list of faults: {error!r}"}, status=400)
        if request.method != "POST":
            self.clear()
        self.add(*faults)
        return await self._show(request)


def _read(message: Any) -> list[Fault]:
    messages = message if isinstance(message, list) else [message]
    return [Fault.from_json(one) for one in messages]


async def _go_wrong(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if fault.kind is FaultKind.STATUS:
        await request.read()
        return fault.answer()
    answer = await _carry_out(request, handler)
    if fault.kind is FaultKind.DELAY:
        await asyncio.sleep(fault.seconds)
        return answer
    if fault.kind is FaultKind.CUT:
        await _send_half(request, answer)
    _hang_up(request)
    return answer


async def _carry_out(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        return refusal


async def _send_half(request: web.Request, answer: web.StreamResponse) -> None:
    body = answer.body if isinstance(answer, web.Response) else None
    content = body if isinstance(body, bytes | bytearray) else b""
    half = web.StreamResponse(status=answer.status, headers=answer.headers)
    half.content_length = max(len(content), 1)
    await half.prepare(request)
    await half.write(content[: len(content) // 2])


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()

"""Misbehaviour on demand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from aiohttp import web

from bot.sandbox.background import serve_in_background
from bot.sandbox.faults import ROUTE, Fault, FaultKind, Faults


class Counted:
    """An application that counts what it carries out."""

    def __init__(self) -> None:
        self.done = 0
        self.faults = Faults()
        self.app = web.Application()
        self.app.router.add_post("/things/{id}", self._do)
        self.faults.apply_to(self.app)

    async def _do(self, request: web.Request) -> web.Response:
        self.done += 1
        return web.json_response({"done": self.done})


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def url(counted: Counted) -> Iterator[str]:
    with serve_in_background(counted.app) as running:
        yield running.url


def test_a_status_keeps_the_request_from_being_carried_out(counted: Counted, url: str) -> None:
    """The ordered status, body and headers come back, as often as ordered, and nothing is done."""
    counted.faults.add(Fault(FaultKind.STATUS, count=2, status=503, body={"a": 1}, headers={"X-Why": "tea"}))
    for _ in range(2):
        answer = requests.post(f"{url}/things/1", timeout=5)
        assert (answer.status_code, answer.json(), answer.headers["X-Why"]) == (503, {"a": 1}, "tea")
    assert requests.post(f"{url}/things/1", timeout=5).json() == {"done": 1}


def test_a_status_may_bring_a_content_type(counted: Counted, url: str) -> None:
    """Instead of JSON's own."""
    kind = {"Content-Type": "application/problem+json"}
    counted.faults.add(Fault(FaultKind.STATUS, status=402, body={"a": 1}, headers=kind))
    answer = requests.post(f"{url}/things/1", timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (402, "application/problem+json")


def test_no_answer_carries_the_request_out(counted: Counted, url: str) -> None:
    """The client sees the connection close; the work is done."""
    counted.faults.add(Fault(FaultKind.NO_ANSWER))
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{url}/things/1", timeout=5)
    assert counted.done == 1


def test_a_cut_answer_breaks_off_in_the_middle(counted: Counted, url: str) -> None:
    """Half of the answer arrives; the work is done."""
    counted.faults.add(Fault(FaultKind.CUT))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        requests.post(f"{url}/things/1", timeout=5)
    assert counted.done == 1


def test_a_delayed_answer_comes_late(counted: Counted, url: str) -> None:
    """A client with less patience gives up; the work is done."""
    counted.faults.add(Fault(FaultKind.DELAY, seconds=1.0))
    with pytest.raises(requests.Timeout):
        requests.post(f"{url}/things/1", timeout=0.1)
    assert counted.done == 1


def test_only_the_named_route_and_method_go_wrong(counted: Counted, url: str) -> None:
    """Globs name routes; other requests are answered as ever and use nothing up."""
    counted.faults.add(Fault(FaultKind.STATUS, route="/things/9*"), Fault(FaultKind.STATUS, method="DELETE"))
    assert requests.post(f"{url}/things/1", timeout=5).status_code == 200
    assert requests.post(f"{url}/things/99", timeout=5).status_code == 500
    assert [fault.method for fault in counted.faults.left()] == ["DELETE"]


def test_orders_over_http(counted: Counted, url: str) -> None:
    """PUT replaces, GET shows, DELETE ends; a count of null never ends."""
    order = [{"kind": "status", "status": 418, "count": None, "route": "/things/*"}]
    assert requests.put(url + ROUTE, json=order, timeout=5).status_code == 200
    for _ in range(3):
        assert requests.post(f"{url}/things/1", timeout=5).status_code == 418
    assert requests.get(url + ROUTE, timeout=5).json()[0]["status"] == 418
    requests.delete(url + ROUTE, timeout=5)
    assert requests.post(f"{url}/things/1", timeout=5).status_code == 200


@pytest.mark.parametrize(
    "order",
    [
        '[{"kind": "cut", "count": "x"}]',
        '[{"kind": "cut", "headers": 1}]',
        "[1]",
        '[{"kind": "sulk"}]',
        '[{"kind": "status", "status": 9999}]',
        '[{"kind": "cut", "colour": "red"}]',
        "{",
    ],
)
def test_a_senseless_order_is_refused(counted: Counted, url: str, order: str) -> None:
    """What is no list of faults changes nothing and says what is wrong."""
    answer = requests.put(url + ROUTE, data=order, timeout=5)
    assert answer.status_code == 400 and "error" in answer.json()
    assert not counted.faults.left()

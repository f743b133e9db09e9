"""Fetching a picture, within limits."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from worker.download import DownloadError, Limits, download
from worker.messages import Refusal

QUICK = Limits(bytes=100_000, deadline=0.6, connect=0.5, read=0.3, redirects=3)

Answer = Callable[[BaseHTTPRequestHandler], None]


class Host:
    """A small web server; each path answers as the test says."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                host.answers[self.path](self)

            def log_message(self, *_: object) -> None:
                """Tests stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def host() -> Iterator[Host]:
    """A web server on loopback."""
    made = Host()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def says(status: int, body: bytes = b"", told: int | None = None, **headers: str) -> Answer:
    """An answer with a status, a body and the length that the server tells."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body) if told is None else told))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def drips(pause: float) -> Answer:
    """An answer of one byte at a time, for ever, without telling a length."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            for _ in range(100):
                request.wfile.write(b"x")
                request.wfile.flush()
                time.sleep(pause)
        except OSError:
            return

    return answer


def test_the_bytes_come_back(host: Host) -> None:
    """A picture is fetched as it is."""
    body = bytes(range(256)) * 300
    host.answers["/a.jpg"] = says(200, body)
    assert download(f"{host.url}/a.jpg", QUICK) == body


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(host: Host, status: int) -> None:
    """To another path, given relative."""
    host.answers |= {"/a": says(status, Location="/b"), "/b": says(200, b"here")}
    assert download(f"{host.url}/a", QUICK) == b"here"


def test_redirects_end_somewhere(host: Host) -> None:
    """A circle is left after the agreed number of turns."""
    host.answers["/a"] = says(302, Location="/a")
    with pytest.raises(DownloadError, match="redirects"):
        download(f"{host.url}/a", QUICK)
    assert len(host.asked) == QUICK.redirects + 1


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://host/a.jpg", "data:,x", "a.jpg", "", "http://", "http://[bad/a"]
)
def test_only_the_web_is_asked(url: str) -> None:
    """Other addresses have no picture for us."""
    assert download(url, QUICK) is Refusal.GONE


def test_a_redirect_to_a_file_is_not_followed(host: Host) -> None:
    """Nor are they on the way."""
    host.answers["/a"] = says(302, Location="file:///etc/passwd")
    assert download(f"{host.url}/a", QUICK) is Refusal.GONE


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_picture_gone_since(host: Host, status: int) -> None:
    """Deleted, private, or its signed address expired."""
    host.answers["/a"] = says(status)
    assert download(f"{host.url}/a", QUICK) is Refusal.GONE


@pytest.mark.parametrize("status", [400, 408, 429, 500, 502, 503, 504])
def test_a_troubled_server_is_asked_again_later(host: Host, status: int) -> None:
    """The error names the host and the status, and not the signed address."""
    host.answers["/a?secret=1"] = says(status)
    with pytest.raises(DownloadError, match=rf"127\.0\.0\.1 answered {status}") as caught:
        download(f"{host.url}/a?secret=1", QUICK)
    assert "secret" not in str(caught.value)


def test_a_told_length_over_the_limit(host: Host) -> None:
    """Refused before any of it is read."""
    host.answers["/a"] = says(200, told=QUICK.bytes + 1)
    assert download(f"{host.url}/a", QUICK) is Refusal.TOO_LARGE


def test_more_bytes_than_told(host: Host) -> None:
    """An endless body without a length stops at the limit."""

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(bytes(50_000))
        except OSError:
            return

    host.answers["/a"] = endless
    assert download(f"{host.url}/a", QUICK) is Refusal.TOO_LARGE


def test_exactly_the_limit(host: Host) -> None:
    """The limit itself is allowed."""
    host.answers["/a"] = says(200, bytes(QUICK.bytes))
    assert len(download(f"{host.url}/a", QUICK)) == QUICK.bytes


def test_a_slow_drip_ends_at_the_deadline(host: Host) -> None:
    """A byte now and then keeps no worker busy."""
    host.answers["/a"] = drips(0.05)
    with pytest.raises(DownloadError, match="not done after"):
        download(f"{host.url}/a", QUICK)


def test_a_silent_server(host: Host) -> None:
    """No answer within the read timeout."""
    host.answers["/a"] = lambda request: time.sleep(0.5)
    with pytest.raises(DownloadError, match="ReadTimeout"):
        download(f"{host.url}/a", QUICK)


def test_an_answer_cut_short(host: Host) -> None:
    """Fewer bytes than told is trouble on the way, not a broken picture."""
    host.answers["/a"] = says(200, bytes(1000), told=2000)
    with pytest.raises(DownloadError):
        download(f"{host.url}/a", QUICK)


def test_nobody_there() -> None:
    """A refused connection may be better later."""
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1: ConnectionError"):
        download("http://127.0.0.1:1/a", QUICK)


def test_no_traceback_shows_a_signed_address() -> None:
    """What the queue keeps of a failed job names the host only."""
    with pytest.raises(DownloadError) as caught:
        download(f"http://127.0.0.1:1/a?signature={6 * 7}424242", QUICK)
    assert "42424242" not in "".join(traceback.format_exception(caught.value))

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pillow_heif
import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bot.demo_samples import portrait
from bot.sandbox import page_app
from bot.sandbox.feed import Entry
from bot.sandbox.server import Sandbox
from tests import needs

WORDS = "6.3 of 9. Here's your best crop."


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with nobody in it."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium without a window; skips the test where there is none."""
    program = needs.chromium_program()
    if program is None:
        needs.lack("Chromium")
    with sync_playwright() as playwright:
        # Chromium will not sandbox itself for root, nor in many containers.
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, sandbox: Sandbox) -> Iterator[Page]:
    """The page, opened; a script error or a blocked file fails the test."""
    complaints: list[str] = []
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(sandbox.page_url)
    yield page
    page.close()
    unexpected = [one for one in complaints if "Failed to load resource" not in one]
    assert unexpected == []


def _answer(sandbox: Sandbox, entry: Entry) -> None:
    """Answer as the bot would."""
    bot = sandbox.x.bot
    media = sandbox.x.add_media(bot, portrait("astronaut"), "image/jpeg")
    sandbox.x.add_tweet(bot, WORDS, [media], in_reply_to=entry.item_id)


def _file(name: str = "me.jpg", kind: str = "image/jpeg", content: bytes | None = None) -> dict[str, object]:
    return {"name": name, "mimeType": kind, "buffer": content or portrait("astronaut")}


def _post(sandbox: Sandbox, photo: bytes | None = None, **fields: str) -> requests.Response:
    files = {"photo": ("me.jpg", photo, "image/jpeg")} if photo is not None else {"other": ("", b"")}
    return requests.post(f"{sandbox.page_url}/api/entries", data=fields, files=files, timeout=10)


@pytest.mark.parametrize("way", ["tweet", "tag", "message"])
def test_a_photo_goes_out_in_each_way(sandbox: Sandbox, way: str) -> None:
    """The API behind the page posts on the right platform, and shows the entry as waiting."""
    answer = _post(sandbox, portrait("astronaut"), way=way, text="How do I look?")

    assert answer.status_code == 201
    entry = answer.json()
    assert (entry["way"], entry["state"], entry["answer"]) == (way, "waiting", None)
    post = sandbox.instagram.post(entry["item_id"])
    messages = sandbox.instagram.conversation(entry["person"])
    sent = {
        "tweet": [tweet.text for tweet in sandbox.x.tweets.values()],
        "tag": [post.caption] if post else [],
        "message": [messages[0].text] if messages else [],
    }[way]
    assert "How do I look?" in str(sent)


def test_an_entry_shows_its_answer(sandbox: Sandbox) -> None:
    """Once the bot has answered, the entry carries the text and the picture's address."""
    number = _post(sandbox, portrait("astronaut"), way="tweet").json()["id"]
    _answer(sandbox, sandbox.feed.entries()[0])

    entry = requests.get(f"{sandbox.page_url}/api/entries/{number}", timeout=10).json()

    assert entry["state"] == "answered"
    assert entry["answer"]["text"] == WORDS
    picture = requests.get(sandbox.page_url + entry["answer"]["picture"], timeout=10)
    assert Image.open(io.BytesIO(picture.content)).format == "JPEG"


def test_the_feed_is_sent_only_when_it_changed(sandbox: Sandbox) -> None:
    """A page that asks each second costs next to nothing."""
    first = requests.get(f"{sandbox.page_url}/api/feed", timeout=10)
    again = requests.get(
        f"{sandbox.page_url}/api/feed", headers={"If-None-Match": first.headers["ETag"]}, timeout=10
    )
    _post(sandbox, portrait("astronaut"), way="tweet")
    changed = requests.get(
        f"{sandbox.page_url}/api/feed", headers={"If-None-Match": first.headers["ETag"]}, timeout=10
    )

    assert (first.status_code, again.status_code, changed.status_code) == (200, 304, 200)


@pytest.mark.parametrize(
    ("fields", "photo", "status", "words"),
    [
        ({"way": "tweet"}, b"%PDF-1.7", 415, "not a picture"),
        ({"way": "tweet"}, b"x" * (page_app.LARGEST_PHOTO + 1), 413, "too large"),
        ({"way": "pigeon"}, None, 400, "choose how"),
        ({"way": "tweet"}, None, 400, "choose a photo"),
        ({"way": "tweet", "text": "x" * 201}, None, 400, "a little long"),
    ],
)
def test_what_cannot_be_sent_is_said_kindly(
    sandbox: Sandbox, fields: dict[str, str], photo: bytes | None, status: int, words: str
) -> None:
    """Each wrong post gets its status and a sentence for people, and nothing is posted."""
    answer = _post(sandbox, photo, **fields)

    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert not sandbox.feed.entries()


def test_what_is_no_form_is_said_kindly(sandbox: Sandbox) -> None:
    """A body that is no form is no server error."""
    answer = requests.post(f"{sandbox.page_url}/api/entries", json={"way": "tweet"}, timeout=10)

    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/api/entries/7", "/api/entries/7/photo", "/api/entries/7/answer"])
def test_what_is_not_there_is_a_404(sandbox: Sandbox, path: str) -> None:
    """Entries that nobody sent are not found."""
    assert requests.get(sandbox.page_url + path, timeout=10).status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize(
    "way", [("Tweet at the bot", "X"), ("Tag on Instagram", "Instagram"), ("Send a DM", "Instagram")]
)
def test_a_person_sends_a_photo_in_the_browser(page: Page, sandbox: Sandbox, way: tuple[str, str]) -> None:
    """Choose a photo and a way, write a word, send: it shows up in the feed."""
    page.get_by_label("Choose a photo").set_input_files(_file())  # type: ignore[arg-type]
    page.get_by_label(way[0]).check()
    page.get_by_label("Text (optional)").fill("How do I look?")
    page.get_by_role("button", name="Send", exact=True).click()

    entry = page.locator("#entries > li").first
    expect(entry).to_contain_text(way[1])
    expect(entry).to_contain_text("How do I look?")
    expect(entry).to_contain_text("is looking at it")
    expect(entry.get_by_alt_text("The photo that")).to_be_visible()
    assert len(sandbox.feed.entries()) == 1


@pytest.mark.browser
def test_the_answer_arrives_by_itself(page: Page, sandbox: Sandbox) -> None:
    """Without a reload, the text and the crop show up, and screen readers are told."""
    page.get_by_label("Choose a photo").set_input_files(_file())  # type: ignore[arg-type]
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#entries > li")).to_have_count(1)

    _answer(sandbox, sandbox.feed.entries()[0])

    answer = page.locator("#entries .answer")
    expect(answer).to_contain_text(WORDS)
    expect(answer.get_by_alt_text("The best crop, with its score")).to_be_visible()
    expect(page.locator("#news")).to_contain_text(WORDS)


@pytest.mark.browser
def test_a_file_that_is_no_picture_is_refused_kindly(page: Page) -> None:
    """The page says so before anything is sent; the server says so of one that only claims to be."""
    page.get_by_label("Choose a photo").set_input_files(_file("cv.pdf", "application/pdf", b"%PDF"))  # type: ignore[arg-type]
    expect(page.get_by_role("alert")).to_contain_text("not a picture")

    page.get_by_label("Choose a photo").set_input_files(_file("cv.jpg", "image/jpeg", b"%PDF"))  # type: ignore[arg-type]
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not a picture")


@pytest.mark.browser
def test_a_photo_that_the_browser_cannot_show(page: Page) -> None:
    """Its place in the feed says so instead of showing a broken picture."""
    telephones = io.BytesIO()
    pillow_heif.register_heif_opener()
    Image.open(io.BytesIO(portrait("astronaut"))).save(telephones, "HEIF")
    file = _file("me.heic", "image/heic", telephones.getvalue())
    page.get_by_label("Choose a photo").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#entries .post")).to_contain_text("cannot show")
    expect(page.locator("#entries .post img")).to_have_count(0)


@pytest.mark.browser
def test_a_phone_shows_what_was_just_sent(chromium: Browser, sandbox: Sandbox) -> None:
    """The feed lies below the form there, so sending brings it into view."""
    page = chromium.new_page(viewport={"width": 375, "height": 600})
    page.goto(sandbox.page_url)
    page.get_by_label("Choose a photo").set_input_files(_file())  # type: ignore[arg-type]
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#entries > li")).to_be_in_viewport()
    page.close()


@pytest.mark.browser
def test_the_page_works_with_the_keyboard_alone(page: Page, sandbox: Sandbox) -> None:
    """Tab reaches the chooser, the ways (arrows change them), the text and the button; Enter sends."""
    page.get_by_label("Choose a photo").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")

    expect(page.locator("#entries > li")).to_contain_text("Hello")
    assert sandbox.feed.entries()[0].way == "message"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(chromium: Browser, sandbox: Sandbox, scheme: str) -> None:
    """At 375 pixels nothing sticks out, in light and in dark."""
    _post(sandbox, portrait("astronaut"), way="tweet", text="W" * 120)
    _answer(sandbox, sandbox.feed.entries()[0])
    dark = scheme == "dark"
    page = chromium.new_page(viewport={"width": 375, "height": 800}, color_scheme="dark" if dark else "light")
    page.goto(sandbox.page_url)
    expect(page.locator("#entries > li")).to_have_count(1)

    width = page.evaluate("document.documentElement.scrollWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()

    assert width <= 375
    brightness = sum(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(","))
    assert (brightness < 200) == dark


def test_the_page_asks_nothing_of_other_hosts() -> None:
    """No address of another host stands in the page's files."""
    folder = Path(page_app.__file__).parent / "page"
    assert not [file for file in folder.iterdir() if "://" in file.read_text(encoding="utf-8")]


def test_the_sandbox_can_be_used_from_many_threads(sandbox: Sandbox) -> None:
    """Posts that come at once all stand in the feed, each under a number of its own."""
    posting = [
        threading.Thread(target=_post, args=(sandbox, None), kwargs={"way": "tag", "text": "x"})
        for _ in range(8)
    ]
    for one in posting:
        one.start()
    for one in posting:
        one.join()

    assert sorted(entry.id for entry in sandbox.feed.entries()) == list(range(1, 9))

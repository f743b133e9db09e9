from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
from PIL import Image, ImageDraw
from sqlalchemy import Engine

from bot.database import open_database
from bot.demo_samples import portrait
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.feed import Entry, Photo, Way
from bot.wording import REFUSALS
from tests.journey import Journey
from worker.messages import Refusal
from worker.score import Judge
from worker.settings import read_settings

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def judge() -> Judge:
    """The real model, loaded once."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return Judge.load(read_settings().weights, "cpu", 1)


@pytest.fixture
def journey(
    tmp_path: Path, database: Engine, redis_connection: redis.Redis, judge: Judge
) -> Iterator[Journey]:
    """Real parts around an empty sandbox; once with SQLite, once with PostgreSQL."""
    with Journey(tmp_path, database, redis_connection, judge) as journey:
        yield journey


@pytest.fixture
def sqlite_journey(
    tmp_path: Path, redis_connection: redis.Redis, judge: Judge, _migrated_sqlite: Path
) -> Iterator[Journey]:
    """The same, with SQLite only: what the pictures do does not depend on the database."""
    file = tmp_path / "selfai.sqlite"
    shutil.copy(_migrated_sqlite, file)
    engine = open_database(f"sqlite:///{file}")
    with Journey(tmp_path, engine, redis_connection, judge) as journey:
        yield journey
    engine.dispose()


def _photo(content: bytes) -> Photo:
    return Photo.of(content) or Photo(content, "image/jpeg")


def _tweet(journey: Journey, content: bytes, content_type: str = "image/jpeg", text: str = "") -> Entry:
    return journey.sandbox.feed.post(Way.TWEET, text, Photo(content, content_type))


def _send_all_ways(journey: Journey) -> dict[Way, Entry]:
    photo = _photo(portrait("astronaut"))
    return {way: journey.sandbox.feed.post(way, "How do I look?", photo) for way in Way}


def test_a_selfie_is_answered_on_all_three_ways(journey: Journey) -> None:
    """A reply with picture on X, a comment under the tagged post, text and picture in a direct message."""
    sent = _send_all_ways(journey)

    journey.answer_all(list(sent.values()))

    for way, entry in sent.items():
        assert "of 9" in journey.said(entry)
        picture = journey.picture(entry)
        assert (picture is None) == (way is Way.TAG)
        if picture is not None:
            with Image.open(io.BytesIO(picture)) as shown:
                assert shown.format == "JPEG" and shown.width == shown.height
                assert not shown.getexif()


@pytest.mark.parametrize("kind", [FaultKind.NO_ANSWER, FaultKind.CUT])
def test_writes_without_an_answer_are_not_repeated(journey: Journey, kind: FaultKind) -> None:
    """Every write is carried out and its answer lost; still everybody is answered exactly once."""
    journey.sandbox.faults_x.add(Fault(kind, "/2/tweets", "POST", count=1))
    journey.sandbox.faults_instagram.add(
        Fault(kind, "*/comment/", "POST", count=1),
        Fault(kind, "*/direct_v2/threads/broadcast/text/", "POST", count=1),
        Fault(kind, "*/direct_v2/threads/broadcast/*photo*", "POST", count=1),
    )
    sent = _send_all_ways(journey)

    journey.live_through_faults(list(sent.values()))

    for entry in sent.values():
        assert "of 9" in journey.said(entry)
    assert journey.picture(sent[Way.MESSAGE]) is not None
    assert journey.picture(sent[Way.TWEET]) is not None
    assert not journey.sandbox.faults_x.left()
    assert [fault.route for fault in journey.sandbox.faults_instagram.left()] == []


def test_an_outage_delays_answers_and_loses_none(sqlite_journey: Journey) -> None:
    """Reads and writes fail for a while on both platforms; in the end all are answered once."""
    outage = Fault(FaultKind.STATUS, "*", count=4, status=503)
    sqlite_journey.sandbox.faults_x.add(outage)
    sqlite_journey.sandbox.faults_instagram.add(Fault(FaultKind.STATUS, "*/direct_v2/*", count=3, status=503))
    sent = _send_all_ways(sqlite_journey)

    sqlite_journey.live_through_faults(list(sent.values()))

    for entry in sent.values():
        assert "of 9" in sqlite_journey.said(entry)


def test_the_queue_may_lose_everything(sqlite_journey: Journey, redis_connection: redis.Redis) -> None:
    """The queue is emptied after each step, and every selfie is still answered once."""
    sent = _send_all_ways(sqlite_journey)
    sqlite_journey.poll()
    redis_connection.flushall()
    sqlite_journey.hurry()
    sqlite_journey.poll()
    redis_connection.flushall()

    sqlite_journey.live_through_faults(list(sent.values()))

    for entry in sent.values():
        assert "of 9" in sqlite_journey.said(entry)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _lying(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return _encoded(image.rotate(90, expand=True), "JPEG", exif=exif.tobytes(), quality=92)


def _sixteen_bit(image: Image.Image) -> bytes:
    grey = np.asarray(image.convert("L"), dtype=np.uint16) * 257
    return _encoded(Image.fromarray(grey), "PNG")


def _odd_formats() -> dict[str, tuple[bytes, str]]:
    with Image.open(io.BytesIO(portrait("astronaut"))) as opened:
        image = opened.convert("RGB")
    frames = [image.convert("P").rotate(angle) for angle in (90, 180)]
    return {
        "heic": (_encoded(image, "HEIF"), "image/heic"),
        "avif": (_encoded(image, "AVIF"), "image/avif"),
        "webp": (_encoded(image, "WEBP"), "image/webp"),
        "cmyk": (_encoded(image.convert("CMYK"), "JPEG"), "image/jpeg"),
        "palette": (_encoded(image.convert("P"), "PNG"), "image/png"),
        "16 bit": (_sixteen_bit(image), "image/png"),
        "transparent": (_encoded(image.convert("RGBA"), "PNG"), "image/png"),
        "lying on its side": (_lying(image), "image/jpeg"),
        "animated": (_encoded(image, "GIF", save_all=True, append_images=frames), "image/gif"),
    }


def test_every_kind_of_picture_file_is_read(sqlite_journey: Journey) -> None:
    """HEIC, AVIF, WebP, CMYK, palette, 16 bit, transparent, sideways and animated ones get a score."""
    sent = {name: _tweet(sqlite_journey, content, kind) for name, (content, kind) in _odd_formats().items()}

    sqlite_journey.answer_all(list(sent.values()), seconds=120)

    said = {name: sqlite_journey.said(entry) for name, entry in sent.items()}
    refused = {name: text for name, text in said.items() if "of 9" not in text}
    assert refused == {}


def _drawing() -> bytes:
    image = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(image).ellipse((100, 100, 300, 300), fill="yellow", outline="black")
    return _encoded(image, "PNG")


def _bomb() -> bytes:
    return _encoded(Image.new("1", (20_000, 20_000)), "PNG")


def test_bad_input_gets_a_kind_line_once(sqlite_journey: Journey) -> None:
    """Each thing that cannot be scored is answered with its own kind sentence, and with no picture."""
    astronaut = portrait("astronaut")
    expected = {
        Refusal.NO_FACE: _tweet(sqlite_journey, portrait("coffee")),
        Refusal.DRAWING: _tweet(sqlite_journey, _drawing(), "image/png"),
        Refusal.NOT_A_PICTURE: _tweet(sqlite_journey, b"%PDF-1.7 not a picture at all" * 20),
        Refusal.BROKEN_PICTURE: _tweet(sqlite_journey, astronaut[: len(astronaut) // 3]),
        Refusal.TOO_MANY_PIXELS: _tweet(sqlite_journey, _bomb(), "image/png"),
        Refusal.NO_PHOTO: sqlite_journey.sandbox.feed.post(Way.MESSAGE, "Hello, what do you do?", None),
    }

    sqlite_journey.answer_all(list(expected.values()), seconds=120)

    for refusal, entry in expected.items():
        assert REFUSALS[refusal] in sqlite_journey.said(entry), refusal
        assert sqlite_journey.picture(entry) is None


def test_a_picture_gone_since_is_said_kindly(sqlite_journey: Journey) -> None:
    """The picture is taken away between the poll and the download."""
    entry = _tweet(sqlite_journey, portrait("astronaut"))
    sqlite_journey.poll()
    for media in sqlite_journey.sandbox.x.media.values():
        sqlite_journey.sandbox.x.pictures.drop(media.picture)

    sqlite_journey.answer_all([entry])

    assert REFUSALS[Refusal.GONE] in sqlite_journey.said(entry)


def test_of_several_faces_the_largest_is_scored_and_it_is_said(sqlite_journey: Journey) -> None:
    """Two people on one photo: one score, and a word about whose."""
    with (
        Image.open(io.BytesIO(portrait("astronaut"))) as one,
        Image.open(io.BytesIO(portrait("grace_hopper"))) as other,
    ):
        both = Image.new("RGB", (one.width + other.width, max(one.height, other.height)), "grey")
        both.paste(one, (0, 0))
        both.paste(other, (one.width, 0))
    entry = _tweet(sqlite_journey, _encoded(both, "JPEG", quality=92))

    sqlite_journey.answer_all([entry])

    assert "the largest of 2 faces" in sqlite_journey.said(entry)

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from bot import tables
from bot.brakes import Action
from bot.database import open_database
from bot.outbox import Claim
from bot.platforms.base import Page
from bot.records import BATCH, Records
from bot.schema import upgrade
from bot.selfie import Answer, Selfie, Source, Status
from tests.fakes import NOON, FakeClock, make_item, run_together

ANSWER = Answer("key-1", "6.3 of 9.", b"\xff\xd8jpeg", "A crop.")
LEASE = timedelta(seconds=120)
MINUTE = timedelta(minutes=1)


def add(
    records: Records, *item_ids: str, source: Source = Source.X_MENTIONS, author_id: str = "7"
) -> list[Selfie]:
    items = [make_item(item_id, source, author_id) for item_id in item_ids]
    return records.add_page(source, Page(items, item_ids[-1]))


def scored(records: Records, item_id: str = "1") -> Selfie:
    """A selfie whose answer stands in the outbox."""
    selfie = add(records, item_id)[0]
    records.step(selfie.id, [Status.SEEN], Status.QUEUED, attempt=1)
    assert records.outbox.settle(selfie.id, Status.QUEUED, Status.SCORED, ANSWER, score=6.3, plus_minus=0.9)
    return selfie


def stored_answers(database: Engine) -> list[int]:
    with database.begin() as connection:
        return list(connection.scalars(select(tables.answers.c.selfie_id)))


def claim(records: Records, selfie: Selfie) -> Claim:
    found = records.outbox.claim(selfie.id, LEASE)
    assert found is not None
    return found


def test_a_page_and_its_cursor_are_kept(records: Records) -> None:
    """What comes in is seen, and comes back as it was."""
    selfies = add(records, "1", "2")
    assert [selfie.item for selfie in selfies] == [make_item("1"), make_item("2")]
    assert [records.get(selfie.id) for selfie in selfies] == selfies
    assert {selfie.status for selfie in selfies} == {Status.SEEN}
    assert records.cursor(Source.X_MENTIONS) == "2"
    assert records.cursor(Source.INSTAGRAM_HASHTAG) is None


def test_an_item_that_comes_again_is_not_new(records: Records) -> None:
    """Within a page, and from page to page, an item makes one row."""
    assert len(add(records, "1", "1", "2")) == 2
    assert [selfie.item.item_id for selfie in add(records, "2", "3")] == ["3"]
    assert records.cursor(Source.X_MENTIONS) == "3"


def test_the_same_id_on_two_platforms_is_two_items(records: Records) -> None:
    """Platforms count for themselves; sources of one platform do not."""
    add(records, "1")
    assert add(records, "1", source=Source.INSTAGRAM_HASHTAG)
    assert not add(records, "1", source=Source.INSTAGRAM_MESSAGES)


def test_a_page_is_kept_whole_or_not_at_all(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the cursor cannot be written, neither are the items: the next poll brings them again."""

    def break_down(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Records, "_move_cursor", break_down)
    with pytest.raises(RuntimeError):
        add(records, "1")
    assert records.recent(9) == []


def test_two_pollers_make_one_row(records: Records) -> None:
    """Two processes that see the same page at once write each item down once."""
    new: list[Selfie] = []

    def poll() -> None:
        new.extend(add(records, *"12345"))

    run_together(2, poll)
    assert sorted(selfie.item.item_id for selfie in new) == list("12345")


def test_a_step_is_taken_once(records: Records) -> None:
    """Who comes second learns that nothing changed."""
    selfie = add(records, "1")[0]
    assert records.step(selfie.id, [Status.SEEN], Status.QUEUED, attempt=1)
    assert not records.step(selfie.id, [Status.SEEN], Status.QUEUED, attempt=1)
    after = records.get(selfie.id)
    assert after is not None
    assert (after.status, after.attempt) == (Status.QUEUED, 1)


def test_a_step_off_the_chart_is_refused(records: Records) -> None:
    """A wrong step is our mistake, and says so."""
    with pytest.raises(ValueError, match="replied"):
        records.step(1, [Status.REPLIED], Status.QUEUED)


def test_an_outcome_and_its_answer_are_kept_together(records: Records, database: Engine) -> None:
    """The answer stands in the outbox from the moment of scoring."""
    selfie = scored(records)
    assert stored_answers(database) == [selfie.id]
    assert not records.outbox.settle(selfie.id, Status.QUEUED, Status.SCORED, ANSWER)
    assert claim(records, selfie).answer == ANSWER


@pytest.mark.parametrize(("attempt", "believed"), [(1, True), (2, True), (3, False)])
def test_an_outcome_of_an_attempt_to_come_is_not_believed(
    records: Records, attempt: int, believed: bool
) -> None:
    """The row's own attempt and older ones count."""
    selfie = add(records, "1")[0]
    records.step(selfie.id, [Status.SEEN], Status.QUEUED, attempt=2)
    settle = records.outbox.settle
    assert settle(selfie.id, Status.QUEUED, Status.SCORED, ANSWER, attempt=attempt) == believed


def test_a_claim_holds_for_its_lease(records: Records, clock: FakeClock) -> None:
    """Nobody else may post until the lease is over; then the next one may."""
    selfie = scored(records)
    assert claim(records, selfie).tries == 1
    clock.pass_by(LEASE - timedelta(seconds=1))
    assert records.outbox.claim(selfie.id, LEASE) is None
    clock.pass_by(timedelta(seconds=1))
    assert claim(records, selfie).tries == 2


def test_one_of_many_gets_the_claim(records: Records) -> None:
    """Two responders who want the same answer at once: one posts."""
    selfie = scored(records)
    claims: list[Claim | None] = []

    def want() -> None:
        claims.append(records.outbox.claim(selfie.id, LEASE))

    run_together(2, want)
    assert sum(found is not None for found in claims) == 1


def test_a_claim_that_is_put_off_rests_until_then(records: Records, clock: FakeClock) -> None:
    """And whoever has lost it cannot put it off any more."""
    selfie = scored(records)
    old = claim(records, selfie)
    assert records.outbox.put_off(old, clock.now() + MINUTE)
    assert records.outbox.claim(selfie.id, LEASE) is None
    clock.pass_by(MINUTE)
    claim(records, selfie)
    assert not records.outbox.put_off(old, clock.now())


def test_what_is_posted_leaves_the_outbox(records: Records, database: Engine) -> None:
    """We keep no photo longer than the reply needs."""
    selfie = scored(records)
    claim(records, selfie)
    assert records.outbox.posted(selfie.id, "99")
    assert stored_answers(database) == []
    after = records.get(selfie.id)
    assert after is not None
    assert (after.status, after.reply_id) == (Status.REPLIED, "99")
    assert (after.score, after.plus_minus) == (6.3, 0.9)
    assert not records.fail(selfie.id, "too late")


def test_a_failure_keeps_its_reason(records: Records, database: Engine) -> None:
    """For the operator; the answer goes."""
    selfie = scored(records)
    assert records.fail(selfie.id, "the author has blocked us")
    after = records.get(selfie.id)
    assert after is not None
    assert (after.status, after.reason) == (Status.FAILED, "the author has blocked us")
    assert after.item.author_name == "anna"
    assert stored_answers(database) == []


def test_a_failure_may_erase_the_person(records: Records) -> None:
    """Who takes a post back is not kept."""
    selfie = scored(records)
    assert records.fail(selfie.id, "gone", erase=True)
    after = records.get(selfie.id)
    assert after is not None
    assert (after.item.author_id, after.item.photo_url) == ("", None)
    assert (after.score, after.plus_minus) == (None, None)


def test_standing_finds_what_stood_too_long(records: Records, clock: FakeClock) -> None:
    """By status and time, in whatever number."""
    old = add(records, *[str(number) for number in range(BATCH + 1)])
    clock.pass_by(2 * MINUTE)
    add(records, "new")
    assert list(records.standing(Status.SEEN, MINUTE)) == old
    assert list(records.standing(Status.QUEUED, MINUTE)) == []


def test_due_finds_answers_to_try(records: Records, clock: FakeClock) -> None:
    """Unclaimed ones that stood too long, and claimed ones whose time has come."""
    unclaimed = scored(records, "1")
    claimed = scored(records, "2")
    claim(records, claimed)
    assert list(records.due(MINUTE)) == []
    clock.pass_by(2 * MINUTE)
    assert [selfie.id for selfie in records.due(MINUTE)] == [unclaimed.id, claimed.id]


def test_the_latest_and_their_number(records: Records) -> None:
    """For a person to look at."""
    add(records, *"123")
    scored(records, "4")
    assert [selfie.item.item_id for selfie in records.recent(2)] == ["4", "3"]
    assert records.counts() == {Status.SEEN: 3, Status.SCORED: 1}


def test_forgetting_a_person(records: Records, database: Engine) -> None:
    """Ids stay, so that nothing is answered twice; all else goes, and other people's stays."""
    done, waiting, other = scored(records, "1"), scored(records, "2"), add(records, "3", author_id="8")[0]
    claim(records, done)
    records.outbox.posted(done.id, "99")
    assert records.forget("x", "7") == 2
    assert stored_answers(database) == []
    after = [records.get(selfie.id) for selfie in (done, waiting)]
    assert [selfie and selfie.status for selfie in after] == [Status.REPLIED, Status.FAILED]
    for selfie in after:
        assert selfie is not None
        assert (selfie.item.author_id, selfie.item.author_name) == ("", "")
        assert (selfie.item.thread_id, selfie.item.photo_url) == (None, None)
        assert (selfie.score, selfie.plus_minus) == (None, None)
    assert records.get(other.id) == other
    assert add(records, "1", "2") == []
    assert records.forget("instagram", "8") == 0


def test_what_is_forgotten_is_in_no_file(tmp_path: Path, clock: FakeClock) -> None:
    """Not in SQLite's write-ahead log either, though another process holds the database open."""
    engine = open_database(f"sqlite:///{tmp_path}/selfai.sqlite")
    upgrade(engine)
    records = Records(engine, clock)
    add(records, "1", author_id="somebody_known")
    assert any(b"somebody_known" in file.read_bytes() for file in tmp_path.iterdir())

    assert records.forget("x", "somebody_known") == 1

    assert not any(b"somebody_known" in file.read_bytes() for file in tmp_path.iterdir())


def test_the_photos_address_goes_with_the_score(records: Records) -> None:
    """It may be signed, and then opens the photo to whoever reads it."""
    settled, failed = scored(records, "1"), add(records, "2")[0]
    records.fail(failed.id, "not allowed")
    assert [known and known.item.photo_url for known in map(records.get, (settled.id, failed.id))] == [
        None
    ] * 2


def test_a_brake_holds_until_its_time(records: Records, clock: FakeClock) -> None:
    """Only that action of that platform, and no longer."""
    brakes = records.brakes
    brakes.pull("x", Action.REPLY, NOON + MINUTE, "rate limit")
    found = brakes.on("x", Action.REPLY)
    assert found is not None
    assert (found.until, found.reason) == (NOON + MINUTE, "rate limit")
    assert brakes.on("x", Action.FETCH) is None
    assert brakes.on("instagram", Action.REPLY) is None
    clock.pass_by(MINUTE)
    assert brakes.on("x", Action.REPLY) is None


def test_a_brake_for_a_person_is_not_loosened(records: Records, clock: FakeClock) -> None:
    """It holds until it is released, whatever comes after it."""
    brakes = records.brakes
    brakes.pull("x", Action.REPLY, NOON + MINUTE, "rate limit")
    brakes.pull("x", Action.REPLY, None, "wrong credentials")
    brakes.pull("x", Action.REPLY, NOON + MINUTE, "rate limit")
    brakes.pull("instagram", Action.FETCH, None, "challenge")
    clock.pass_by(timedelta(days=9))
    assert [brake.reason for brake in brakes.release("x")] == ["wrong credentials"]
    assert [brake.platform for brake in brakes.all_on()] == ["instagram"]
    assert brakes.release("x") == []

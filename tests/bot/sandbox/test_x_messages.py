from __future__ import annotations

import pytest

from tests.bot.sandbox.small_x import BOT, SmallX, jpeg


def test_a_message_goes_there_and_an_answer_back(small_x: SmallX) -> None:
    """Through tweepy: read with sender and picture, answered with text and picture."""
    small_x.world.send_message("ada", "look", jpeg())
    client = small_x.tweepy()
    page = client.get_direct_message_events(
        dm_event_fields=["sender_id", "attachments", "dm_conversation_id"],
        expansions=["attachments.media_keys", "sender_id"],
        media_fields=["url"],
    )
    (event,) = page.data
    assert (event.text, page.includes["users"][0].username) == ("look", "ada")
    assert page.includes["media"][0].url.startswith(small_x.url)
    sent = client.create_direct_message(
        participant_id=event.sender_id, text="7.1", media_id=small_x.upload(content=b"crop")
    )
    assert sent.data["dm_conversation_id"] == event.dm_conversation_id
    (answer,) = small_x.world.messages_to("ada")
    assert (answer.author, answer.text, answer.picture) == (BOT, "7.1", b"crop")


def test_conversations_are_apart_and_newest_first(small_x: SmallX) -> None:
    """With one person, by participant or by conversation; others' messages are not shown."""
    world = small_x.world
    first, second = world.send_message("ada", "1"), world.send_message("ada", "2")
    world.send_message("grace", "3")
    world.send_message("grace", "secret", to="ada")
    ada = world.account("ada").id
    by_person = small_x.ask("GET", f"/2/dm_conversations/with/{ada}/dm_events").json()
    assert [event["id"] for event in by_person["data"]] == [second, first]
    conversation = "-".join(sorted((ada, world.bot.id), key=int))
    by_id = small_x.ask("GET", f"/2/dm_conversations/{conversation}/dm_events").json()
    assert by_id == by_person
    everything = small_x.ask("GET", "/2/dm_events").json()
    assert [event["text"] for event in everything["data"]] == ["3", "2", "1"]
    assert small_x.ask("GET", f"/2/dm_events/{first}").json()["data"]["text"] == "1"
    assert small_x.ask("GET", f"/2/dm_events/{first}", "grace").status_code == 404


def test_pages_of_messages(small_x: SmallX) -> None:
    """Tokens are as long as X's description says."""
    ids = [small_x.world.send_message("ada", str(number)) for number in range(3)]
    page = small_x.ask("GET", "/2/dm_events?max_results=2").json()
    token = page["meta"]["next_token"]
    assert len(token) >= 16
    rest = small_x.ask("GET", f"/2/dm_events?max_results=2&pagination_token={token}").json()
    assert [event["id"] for event in page["data"] + rest["data"]] == ids[::-1]


def test_only_the_kinds_asked_for(small_x: SmallX) -> None:
    """Nobody ever joins or leaves here."""
    small_x.world.send_message("ada", "1")
    answer = small_x.ask("GET", "/2/dm_events?event_types=ParticipantsJoin").json()
    assert answer == {"meta": {"result_count": 0}}


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": 7}, {"text": "x" * 10_001}, {"attachments": [{}]}, {"attachments": "x"}],
)
def test_senseless_messages_are_400(small_x: SmallX, body: dict[str, object]) -> None:
    """Nothing is delivered."""
    ada = small_x.world.account("ada").id
    assert small_x.ask("POST", f"/2/dm_conversations/with/{ada}/messages", json=body).status_code == 400
    assert not small_x.world.messages_to("ada")


def test_messages_to_oneself_or_to_nobody(small_x: SmallX) -> None:
    """Refused, as X does."""
    path = "/2/dm_conversations/with/{}/messages"
    for person, status in ((small_x.world.bot.id, 403), ("17", 404), ("x", 400)):
        assert small_x.ask("POST", path.format(person), json={"text": "hi"}).status_code == status
    assert small_x.ask("GET", "/2/dm_conversations/1-2/dm_events").status_code == 404

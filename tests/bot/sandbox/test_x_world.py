from __future__ import annotations

import pytest

from bot.sandbox.faults import Faults
from bot.sandbox.pictures import Pictures
from bot.sandbox.x import make_app
from bot.sandbox.x_accounts import App, Tokens
from bot.sandbox.x_world import XWorld
from tests.bot.sandbox.small_x import jpeg


def test_credentials_are_given_or_random() -> None:
    """What is given is used; two worlds share nothing else."""
    app, tokens = App("key", "secret", "bearer"), Tokens("1-a", "b", "c")
    given = XWorld(app=app, bot_tokens=tokens, bot="robot", people=["eve"]).credentials()
    assert (given["api_key"], given["api_secret"], given["bearer_token"]) == ("key", "secret", "bearer")
    assert given["accounts"]["robot"]["access_secret"] == "b"
    assert (given["bot"], list(given["accounts"])) == ("robot", ["robot", "eve"])
    first, second = XWorld().credentials(), XWorld().credentials()
    assert first["api_secret"] != second["api_secret"]
    assert first["accounts"]["ada"]["oauth2_token"] != second["accounts"]["ada"]["oauth2_token"]


def test_people_see_posts_answers_and_messages() -> None:
    """The feed, the replies under a post, and what was sent to a person, oldest first."""
    world = XWorld()
    first = world.post("ada", "look", jpeg())
    reply = world.post("grace", "nice", in_reply_to=first)
    world.send_message("ada", "hi")
    world.send_message(world.bot.username, "hello", jpeg(), to="ada")
    assert [post.id for post in world.feed()] == [first, reply]
    assert world.feed()[0].picture == jpeg()
    assert [(post.author, post.text) for post in world.replies_to(first)] == [("grace", "nice")]
    assert [(message.text, message.picture) for message in world.messages_to("ada")] == [("hello", jpeg())]


def test_a_picture_goes_with_its_post() -> None:
    """After deletion its address is empty."""
    world = XWorld()
    tweet_id = world.post("ada", "look", jpeg())
    (media,) = world.tweets[tweet_id].media
    assert world.pictures.get(media.picture)
    world.delete(tweet_id)
    assert world.pictures.get(media.picture) is None


def test_pictures_posted_before_serving_are_served() -> None:
    """They move to the picture host that the application uses."""
    world, pictures = XWorld(), Pictures()
    tweet_id = world.post("ada", "look", jpeg())
    make_app(world, pictures, Faults())
    (media,) = world.tweets[tweet_id].media
    picture = pictures.get(media.picture)
    assert picture is not None and picture.content == jpeg()


def test_a_handle_has_15_plain_letters() -> None:
    """Anything else is refused by name."""
    for name in ("", "a b", "averylonghandleindeed", "å"):
        with pytest.raises(ValueError, match="no handle"):
            XWorld().account(name)

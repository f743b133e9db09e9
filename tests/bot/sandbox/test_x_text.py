from __future__ import annotations

import pytest

from bot.sandbox.x_text import hashtags, mentions, weighted_length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("café", 4),
        ("cafe\u0301", 4),
        ("“quoted” yes", 12),
        ("日本", 4),
        ("🙂", 2),
        ("👩‍👩‍👧‍👦", 2),
        ("👍🏽!", 3),
        ("🇦🇹", 2),
        ("see https://example.org/a/very/long/address/that/goes/on/and/on", 27),
    ],
)
def test_length_is_weighed_as_x_weighs_it(text: str, length: int) -> None:
    """Light letters count 1, heavy ones and emoji 2, links 23, whatever their length."""
    assert weighted_length(text) == length


def test_mentions_and_hashtags_stand_alone() -> None:
    """Addresses in e-mail and numbers are neither."""
    text = "@ada, mail a@b.org or .@Grace_1! #selfie_1 #1 @averylonghandleindeed"
    assert [mention.text for mention in mentions(text)] == ["ada", "Grace_1"]
    tag = hashtags(text)[0]
    assert (tag.text, text[tag.start : tag.end], len(hashtags(text))) == ("selfie_1", "#selfie_1", 1)

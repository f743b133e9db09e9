"""How X reads a post's text: weighted length, mentions and hashtags."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 280
"""Weighted characters in a post."""
LINK_WEIGHT = 23

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_LINK = re.compile(r"https?://\S+")
_MENTION = re.compile(r"(?<![A-Za-z0-9_@])@([A-Za-z0-9_]{1,15})(?![A-Za-z0-9_])")
_HASHTAG = re.compile(r"(?<!\w)#(\w*[^\W\d_]\w*)")
# A picture character, then whatever is glued to it: X counts all of it as one.
_GLUED = re.compile("[\U0001f1e6-\U0001f1ff]{2}|.(?:[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d.)+")


@dataclass(frozen=True)
class Entity:
    """A mention or hashtag: its text without the sign, and where it stands (end exclusive)."""

    text: str
    start: int
    end: int


def mentions(text: str) -> Sequence[Entity]:
    """The @handles in a text, in order."""
    return [Entity(found[1], found.start(), found.end()) for found in _MENTION.finditer(text)]


def hashtags(text: str) -> Sequence[Entity]:
    """The #hashtags in a text, in order."""
    return [Entity(found[1], found.start(), found.end()) for found in _HASHTAG.finditer(text)]


def weighted_length(text: str) -> int:
    """Length as X counts it: links 23, Latin and other light letters 1, all others and emoji 2."""
    text = unicodedata.normalize("NFC", text)
    links = _LINK.findall(text)
    rest = _GLUED.sub("\U0001f642", _LINK.sub("", text))
    return LINK_WEIGHT * len(links) + sum(_weight(letter) for letter in rest)


def _weight(letter: str) -> int:
    return 1 if any(first <= ord(letter) <= last for first, last in _LIGHT) else 2

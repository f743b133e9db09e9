"""Everything the bot says to people.

Short, kind, and without links: a link makes a post on X twenty times as dear. Nothing here
judges a person; the score is about one picture.
"""

from __future__ import annotations

import re

from bot.selfie import Answer, Selfie, Source
from worker.messages import Refusal

REFUSALS: dict[Refusal, str] = {
    Refusal.NO_PHOTO: "I'd love to help, but I see no photo here. Send me a selfie and I'll score it!",
    Refusal.NO_FACE: "I can't find a face in this photo. Could you try one where yours is easy to see?",
    Refusal.TINY_FACE: "The face is too small for me to see well. Could you come a little closer?",
    Refusal.TURNED_AWAY: "The face is turned away from me. Could you try one that looks at the camera?",
    Refusal.BLURRED: "This photo is too blurred for me. Could you try a sharper one?",
    Refusal.DRAWING: "This doesn't look like a photo to me, and photos are all I know. Got a selfie?",
    Refusal.NOT_A_PICTURE: "I can't read this file as a picture. Could you send it as a JPEG or PNG?",
    Refusal.BROKEN_PICTURE: "This picture arrived damaged. Could you send it once more?",
    Refusal.TOO_MANY_PIXELS: "This picture has more pixels than I can handle. Could you send a smaller one?",
    Refusal.TOO_LARGE: "This file is larger than I can handle. Could you send a smaller one?",
    Refusal.GONE: "The photo was gone when I came to look. Send it again if you'd like a score!",
    Refusal.TROUBLE: "Something went wrong on my side, sorry! Please try again another day.",
}
"""One kind line for each reason why there is no score."""

TIPS = (
    (3.0, "Soft light from the front and a step closer often help."),
    (5.0, "Turning toward a window for softer light often helps."),
    (7.0, "Nice shot! A plain background would help it shine."),
    (10.0, "A lovely shot!"),
)
"""What to say with a score below each number: about the photo, never about the person."""

HONEST = "It's a machine's guess about one photo, not about you."
"""What the score is not."""

CROP = "Here's your best crop."
CROP_BY_MESSAGE = "Send it in a direct message for its best crop."

HANDLE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.]{0,28}[A-Za-z0-9_])?")


def scored(
    selfie: Selfie, score: float, plus_minus: float | None, faces: int, picture: bytes | None
) -> Answer:
    """The answer to a selfie that got a score (0..9); `picture` is its rendered crop."""
    # A comment on Instagram carries no picture.
    wanted = None if selfie.item.source is Source.INSTAGRAM_HASHTAG else picture
    shown = shown_score(score, plus_minus)
    several = f"I scored the largest of {faces} faces." if faces > 1 else ""
    crop = CROP_BY_MESSAGE if wanted is None else CROP
    text = _said(selfie, f"{shown}.", several, _tip(score), crop, HONEST)
    alt_text = None if wanted is None else f"The best crop of the selfie, with its score: {shown}."
    return Answer(_key(selfie), text, wanted, alt_text)


def refused(selfie: Selfie, refusal: Refusal) -> Answer:
    """The answer to a selfie that got no score."""
    return Answer(_key(selfie), _said(selfie, REFUSALS[refusal]), None, None)


def shown_score(score: float, plus_minus: float | None) -> str:
    """The score as people see it, such as `6.3 of 9, give or take 0.9`."""
    shown = f"{min(max(0.0, score), 9.0):.1f} of 9"
    return shown if plus_minus is None else f"{shown}, give or take {min(max(0.1, plus_minus), 9.0):.1f}"


def _tip(score: float) -> str:
    return next((tip for below, tip in TIPS if score < below), TIPS[-1][1])


def _said(selfie: Selfie, *parts: str) -> str:
    return " ".join(part for part in (_mention(selfie), *parts, _signature(selfie)) if part)


def _signature(selfie: Selfie) -> str:
    """Says that nobody wrote this by hand. The number makes every text new: X refuses repeated ones."""
    return f"(I'm a bot. This is answer {selfie.id}.)"


def _mention(selfie: Selfie) -> str:
    """The author's @handle where others read along; nothing that is not a handle gets through."""
    private = selfie.item.source is Source.INSTAGRAM_MESSAGES
    if private or not HANDLE.fullmatch(selfie.item.author_name):
        return ""
    return f"@{selfie.item.author_name}"


def _key(selfie: Selfie) -> str:
    """The same for every try, and even for another database's row of the same item."""
    return f"selfai-{selfie.item.source.platform}-{selfie.item.item_id}"

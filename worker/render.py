"""Photo, crop and score to the picture that is posted."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

from worker.messages import Box

LONGEST_SIDE = 1080
"""Pixels; what both platforms show at most."""

MOST_BYTES = 4_000_000
"""X takes 5 MB."""

QUALITIES = (88, 75, 60, 40)
"""JPEG qualities, tried until the picture is small enough; the first nearly always is."""

BADGE_HEIGHT = 0.095
"""Of the badge, as a share of the picture's shorter side."""

SMALLEST_BADGE = 26
"""Pixels; below it the figures are not legible."""

OVERSAMPLING = 4
"""The badge is drawn that much larger and reduced: Pillow's round corners are jagged."""


def render(photo: Image.Image, box: Box, score: float, plus_minus: float) -> bytes:
    """The crop with a score badge, as JPEG without metadata: at most 1080 px and 4 MB."""
    picture = _cut(photo, box)
    _put_badge(picture, badge_text(score, plus_minus))
    return _jpeg(picture)


def cut(photo: Image.Image, box: Box) -> bytes:
    """The bare crop as JPEG without metadata, at its own size."""
    return _jpeg(photo.crop(_whole_pixels(photo, box)))


def badge_text(score: float, plus_minus: float) -> str:
    """As the badge shows it, `6.3 ± 0.9 of 9`: a picture may travel without its answer's words."""
    return f"{score:.1f} ± {plus_minus:.1f} of 9"


def _whole_pixels(photo: Image.Image, box: Box) -> tuple[int, int, int, int]:
    # The size is rounded first: edges rounded on their own would make a square 387 by 386.
    width = min(photo.width, max(1, round(box[2] - box[0])))
    height = min(photo.height, max(1, round(box[3] - box[1])))
    left = min(max(0, round(box[0])), photo.width - width)
    top = min(max(0, round(box[1])), photo.height - height)
    return left, top, left + width, top + height


def _cut(photo: Image.Image, box: Box) -> Image.Image:
    picture = photo.crop(_whole_pixels(photo, box))
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    # A badge needs some pixels: enlarge the crop of a small photo.
    if min(picture.size) < 320:
        zoom = min(320 / min(picture.size), LONGEST_SIDE / max(picture.size))
        size = round(picture.width * zoom), round(picture.height * zoom)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return picture


def _put_badge(picture: Image.Image, text: str) -> None:
    """A dark, slightly transparent pill with white figures at the lower left."""
    height = max(SMALLEST_BADGE, round(min(picture.size) * BADGE_HEIGHT))
    badge = _badge(text, height)
    margin = round(height * 0.45)
    picture.paste(badge, (margin, picture.height - badge.height - margin), badge)


def _badge(text: str, height: int) -> Image.Image:
    large = height * OVERSAMPLING
    font = ImageFont.load_default(large * 0.6)
    width = round(font.getlength(text) + large * 0.9)
    badge = Image.new("RGBA", (width, large), (18, 18, 24, 0))
    draw = ImageDraw.Draw(badge)
    draw.rounded_rectangle((0, 0, width - 1, large - 1), large / 2, fill=(18, 18, 24, 205))
    draw.text(
        (width / 2, large / 2),
        text,
        font=font,
        fill=(255, 255, 255, 255),
        anchor="mm",
        stroke_width=large / 90,
    )
    return badge.resize((round(width / OVERSAMPLING), height), Image.Resampling.LANCZOS)


def _jpeg(picture: Image.Image) -> bytes:
    bare = Image.new("RGB", picture.size)  # Pillow would write comments along
    bare.paste(picture)
    for quality in QUALITIES:
        encoded = io.BytesIO()
        bare.save(encoded, "JPEG", quality=quality, optimize=True, progressive=True)
        if encoded.tell() <= MOST_BYTES:
            break
    return encoded.getvalue()

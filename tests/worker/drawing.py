"""A drawn face that MTCNN takes for a face."""

from __future__ import annotations

from PIL import Image, ImageDraw

SKIN, HAIR, SKY = (200, 150, 110), (60, 40, 20), (120, 180, 240)


def cartoon(size: int = 400) -> Image.Image:
    """A cheerful square cartoon."""
    picture = Image.new("RGB", (400, 400), SKY)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((90, 40, 310, 360), fill=HAIR)
    draw.ellipse((105, 70, 295, 350), fill=SKIN)
    for x in (155, 245):
        draw.ellipse((x - 28, 165, x + 28, 197), fill="white")
        draw.ellipse((x - 13, 167, x + 13, 195), fill=(70, 50, 30))
        draw.ellipse((x - 6, 174, x + 6, 188), fill="black")
        draw.line((x - 30, 150, x + 30, 146), fill=HAIR, width=8)
    draw.polygon(((200, 190), (185, 248), (215, 248)), fill=(235, 180, 140))
    draw.ellipse((160, 275, 240, 310), fill=(190, 60, 70))
    draw.line((162, 292, 238, 292), fill=(120, 30, 40), width=3)
    return picture.resize((size, size), Image.Resampling.NEAREST)

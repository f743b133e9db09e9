"""The demo's sample portraits, from the packages that ship them, and who sends them in which way."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.feed import Entry, Feed, Photo, Way


@dataclass(frozen=True)
class Sample:
    """A photo that somebody sends."""

    way: Way
    person: str
    """Handle, without the @."""
    text: str
    portrait: str
    """`astronaut`, `grace_hopper`, or `coffee`, which is none."""

    @property
    def wants_picture(self) -> bool:
        """Whether its complete answer comes with a picture."""
        return self.way is not Way.TAG and self.portrait != "coffee"


SAMPLES = (
    Sample(Way.TWEET, "eileen", "How do I look?", "astronaut"),
    Sample(Way.TAG, "grace", "At the office", "grace_hopper"),
    Sample(Way.MESSAGE, "eileen", "", "astronaut"),
    Sample(Way.TWEET, "grace", "", "grace_hopper"),
    Sample(Way.MESSAGE, "grace", "", "grace_hopper"),
    Sample(Way.TAG, "barista", "Is this me?", "coffee"),
)


def post_samples(feed: Feed, samples: Sequence[Sample] = SAMPLES) -> list[tuple[Sample, Entry]]:
    """Send all samples to the bot."""
    return [
        (sample, feed.post(sample.way, sample.text, Photo.of(portrait(sample.portrait)), sample.person))
        for sample in samples
    ]


def portrait(name: str) -> bytes:
    """A sample's photo as JPEG."""
    if name == "grace_hopper":
        from matplotlib import cbook

        return Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))).read_bytes()
    from PIL import Image
    from skimage import data

    pixels = data.astronaut() if name == "astronaut" else data.coffee()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()
